//! The past of a town's hosts, as pages and the API read it.

use app::reader::ReadError;
use model::host::HostHistory;
use model::id::TownName;
use model::time::Window;

use super::{FRESH_US, Reader, place, unavailable};
use crate::db::host;

impl Reader {
    /// The hosts of a town over a window: means per step.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn host_history(&self, town: &TownName, window: Window) -> Result<HostHistory, ReadError> {
        let key = self.town_key(town).await?;
        // As with charts: many tabs cost one reading a second.
        let kept = place(&self.hosts, (town.clone(), window)).await;
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        if let Some((read_at, page)) = kept.as_ref()
            && now.micros_since(*read_at) < FRESH_US
        {
            return Ok(page.clone());
        }
        let page = host::history(&self.pool, key, window, now).await.map_err(unavailable)?;
        *kept = Some((now, page.clone()));
        Ok(page)
    }
}
