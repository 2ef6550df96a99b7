package engine

import (
	"log/slog"
	"slices"
)

// State is how far a service has come on one of its panels.
type State string

// The states. Those from Held to Uncertain are waiting for a person.
const (
	Waiting   State = "waiting"   // stored; nothing was sent yet, or something has to happen first
	Creating  State = "creating"  // the server is being ordered, or the fate of its create is not known yet
	Building  State = "building"  // the panel installs it
	Changing  State = "changing"  // the panel carries out a change
	Sending   State = "sending"   // a record is being registered
	Searching State = "searching" // a record may have been made; the registrar is searched for it
	Ready     State = "ready"     // as desired
	Missing   State = "missing"   // the panel said once that it does not exist; it is asked again
	Deleting  State = "deleting"  // the panel has accepted the deletion
	Gone      State = "gone"      // absent, as desired
	Detached  State = "detached"  // the service no longer names this registrar; the record stays as it is

	Held      State = "held"      // somebody else has suspended it, and only they may lift that
	Drifted   State = "drifted"   // somebody changed in the panel what the engine had done; Resync does it again
	Blocked   State = "blocked"   // the credentials, the panel or its version cannot do what is needed; a route that is missing is tried again now and then
	Dead      State = "dead"      // refused for good, or failed for too long
	Lost      State = "lost"      // the panel said twice that it does not exist
	Foreign   State = "foreign"   // its id now belongs to another server or record
	Uncertain State = "uncertain" // a record may have been made, and only a person can find out
	Forgotten State = "forgotten"
)

// forPerson are the states that the engine does not leave by itself.
var forPerson = []State{Held, Drifted, Blocked, Dead, Lost, Foreign, Uncertain}

// NeedsPerson reports a state that the engine does not leave by itself.
func (s State) NeedsPerson() bool { return slices.Contains(forPerson, s) }

// installing reports a server that may still tell more about itself.
func (s State) installing() bool { return s == Waiting || s == Creating || s == Building }

func (s State) level() slog.Level {
	if s.NeedsPerson() {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
