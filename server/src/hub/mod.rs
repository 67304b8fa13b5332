//! Live state per town, encoded once per tick for every viewer.
