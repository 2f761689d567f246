"""Tests of a second or less: no database, no Redis, no bench."""
