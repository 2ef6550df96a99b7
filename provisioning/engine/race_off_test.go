//go:build !race

package engine_test

import "time"

const (
	raceDetector = false
	patience     = 30 * time.Second // how long a test waits for what must happen
)
