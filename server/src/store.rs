//! The store as commands and the server open it: the private cluster or a database of the owner's, up to date.

use std::sync::Arc;

use anyhow::Context as _;

use crate::config::Config;
use crate::db::price::Prices;
use crate::db::{self, ConnectOptions, Pool, price};
use crate::postgres::{Cluster, OpenMode};
use crate::source::price_seed;

/// An open store.
pub struct Store {
    /// Connections.
    pub pool: Pool,
    /// Prices in force.
    pub prices: Arc<Prices>,
    cluster: Option<Cluster>,
}

impl Store {
    /// Opens the store that the configuration names, and brings its schema and price book up to date.
    ///
    /// # Errors
    /// No database, or one that cannot be used; the message says what to do.
    pub async fn open(config: &Config, mode: OpenMode) -> anyhow::Result<Self> {
        let (options, cluster) = match &config.database_url.value {
            Some(url) => (url.parse::<ConnectOptions>().context("database_url cannot be used")?, None),
            None => {
                let cluster = Cluster::open(&config.data_dir.value, mode).await?;
                (cluster.connect_options(), Some(cluster))
            }
        };
        match Self::prepare(options).await {
            Ok((pool, prices)) => Ok(Self { pool, prices, cluster }),
            Err(error) => {
                if let Some(cluster) = cluster {
                    cluster.stop().await;
                }
                Err(error)
            }
        }
    }

    async fn prepare(options: ConnectOptions) -> anyhow::Result<(Pool, Arc<Prices>)> {
        let pool = db::connect(options).await?;
        db::migrate(&pool).await?;
        price::seed(&pool, &price_seed::rows()?).await?;
        let prices = Prices::new(price::load(&pool).await?);
        Ok((pool, prices))
    }

    /// A store on connections that somebody else opened, with the schema up to date.
    ///
    /// # Errors
    /// The price book could not be read.
    pub async fn on(pool: Pool) -> anyhow::Result<Self> {
        price::seed(&pool, &price_seed::rows()?).await?;
        let prices = Prices::new(price::load(&pool).await?);
        Ok(Self { pool, prices, cluster: None })
    }

    /// Whether a server is known to work on the same store. Of a database of the owner's nobody knows.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.cluster.as_ref().is_some_and(Cluster::is_served)
    }

    /// Lets go of it; the private cluster stops unless somebody else uses it.
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}
