\echo Use "CREATE EXTENSION elvis" to load this file. \quit
