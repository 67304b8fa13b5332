//! One module per source: untrusted bytes become typed events, or a rejection with a reason.
