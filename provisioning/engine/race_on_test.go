//go:build race

package engine_test

import "time"

// The race detector makes SQLite, which is a large program in Go here, many times slower, and finds the same on PostgreSQL.
const (
	raceDetector = true
	patience     = 2 * time.Minute
)
