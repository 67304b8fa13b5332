//! What the Observability page knows: its range, its data, and what it exports.
