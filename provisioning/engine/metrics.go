package engine

import "time"

// Metrics are called as things happen, from the goroutine in which they do; they must return quickly. Any may be nil. They are for counters; how much is
// pending, and since when, is asked for when it is wanted: see [Engine.Backlog].
type Metrics struct {
	// Step is called at the end of every step.
	Step func(Step)
	// Swept is called after each look for rows that are due, with how many were found.
	Swept func(rows int)
	// Paused is called when this process pauses a panel or lets it go on.
	Paused func(panel string, paused bool, reason string)
}

// Step is the end of one step.
type Step struct {
	Panel, Key string
	State      State
	Message    string
	Failed     bool // it will be tried again
	Took       time.Duration
}

func (m Metrics) step(s Step) {
	if m.Step != nil {
		m.Step(s)
	}
}

func (m Metrics) swept(rows int) {
	if m.Swept != nil {
		m.Swept(rows)
	}
}

func (m Metrics) paused(panel string, paused bool, reason string) {
	if m.Paused != nil {
		m.Paused(panel, paused, reason)
	}
}
