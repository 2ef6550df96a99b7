package provisioningtest

import (
	"sync"
	"time"
)

// Action is what a fault does to one request.
type Action string

// The actions. "Commit" means that the panel carried the request out.
const (
	Refuse     Action = "refuse"      // close the connection before reading the request
	CutBefore  Action = "cut before"  // read the request, commit nothing, close the connection
	CutAfter   Action = "cut after"   // commit, then close the connection without an answer
	CommitLate Action = "commit late" // close the connection now, commit after Fault.Late
	Answer     Action = "answer"      // commit nothing, answer Fault.Status with Fault.Body
	AnswerLate Action = "answer late" // commit, then answer Fault.Status with Fault.Body instead of the real answer
	HTML       Action = "html"        // commit nothing, answer Fault.Status (502 when 0) with an HTML page, as a proxy does
	CutBody    Action = "cut body"    // commit, then send half of the real answer and close the connection
	Hang       Action = "hang"        // commit nothing and never answer
	HangAfter  Action = "hang after"  // commit and never answer
	Slow       Action = "slow"        // only Fault.Delay, then the real answer
)

// Fault is one rule of a fake panel.
type Fault struct {
	// Op is the operation id of the panel's API description ("createServer"); "" stands for every operation.
	Op string
	Do Action
	// Skip lets that many matching requests pass first.
	Skip int
	// Times is how many requests the rule hits: 0 means one, a negative number all.
	Times int
	// Delay passes before anything else happens.
	Delay time.Duration
	// Late is how long after the cut a CommitLate commits.
	Late       time.Duration
	Status     int
	Body       string
	RetryAfter string // value of a Retry-After header
}

// Faults holds the rules of a fake panel. The zero value has none. It is safe for concurrent use.
type Faults struct {
	mu    sync.Mutex
	rules []*rule
}

type rule struct {
	Fault
	skipped, hits int
}

// Inject adds a rule. Rules are tried in the order they were added; the first that matches and is not used up acts.
func (f *Faults) Inject(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault.Times == 0 {
		fault.Times = 1
	}
	f.rules = append(f.rules, &rule{Fault: fault})
}

// Next uses the first rule that matches the operation. ok is false when none does.
func (f *Faults) Next(op string) (fault Fault, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.Op != "" && r.Op != op || r.Times > 0 && r.hits == r.Times {
			continue
		}
		if r.skipped < r.Skip {
			r.skipped++
			continue
		}
		r.hits++
		return r.Fault, true
	}
	return Fault{}, false
}

// Unused lists the rules that were not used as often as they say, except those without an end that were used at least once. A test that injects a fault which never
// happens proves nothing.
func (f *Faults) Unused() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var left []Fault
	for _, r := range f.rules {
		if r.Times > 0 && r.hits < r.Times || r.Times < 0 && r.hits == 0 {
			left = append(left, r.Fault)
		}
	}
	return left
}

// Clear removes all rules.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}
