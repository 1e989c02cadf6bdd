-- bounds: the latest instant of any sample: a window that ends there or later may read latest_v1.
-- row:    latest_ms Int64 (0 when there is no sample)
SELECT toUnixTimestamp64Milli(max(observed_at)) AS latest_ms FROM {database:Identifier}.readings_v1
