//! Where prices come from besides the list in the program: added by hand, or imported from a list of LiteLLM's.

mod amount;
mod entry;
mod litellm;
mod rates;

pub use amount::{AmountError, per_million, scaled};
pub use entry::{Above, Amount, Entry, EntryError, instant};
pub use litellm::{Import, ImportError, Reason, read};
pub use rates::Named;
