package virtfusion

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"

	"github.com/hvpanels/hvpanels/provisioning"
)

// ServerAction is a deferred action of a server: work that the panel has accepted and does at the server's next power action.
//
// Experimental: of a row only the id and the state are documented. That it has the members of a DeferredAction is a guess, so Data keeps all of it.
type ServerAction struct {
	ID     ServerActionID    `json:"id"`
	State  ServerActionState `json:"state"`
	Action string            `json:"action"` // guess, see DeferredAction
	Data   json.RawMessage   `json:"-"`
}

// UnmarshalJSON reads what is known and keeps the whole row.
func (a *ServerAction) UnmarshalJSON(b []byte) error {
	type plain ServerAction
	*a = ServerAction{}
	return readPartly(b, (*plain)(a), &a.Data)
}

// ServerActionState is where a deferred action stands. The set is open.
type ServerActionState string

// The states of deferred actions.
const (
	ActionPending   ServerActionState = "pending"   // waits for a power action
	ActionRunning   ServerActionState = "running"   // a running task has picked it up
	ActionCompleted ServerActionState = "completed" // done
	ActionFailed    ServerActionState = "failed"    // kept for another try until it is cancelled; meanwhile builds are Locked
	ActionStuck     ServerActionState = "stuck"     // the task that had picked it up has ended
)

// Known reports whether this package knows the state.
func (s ServerActionState) Known() bool {
	switch s {
	case ActionPending, ActionRunning, ActionCompleted, ActionFailed, ActionStuck:
		return true
	}
	return false
}

// ListActionsOptions tunes ListActions.
type ListActionsOptions struct {
	ListOptions
	// State keeps only the actions in this state. Empty means all.
	State ServerActionState
}

// ListActions yields the deferred actions of a server, page by page as List does. It is where to look when a build or a power action is Locked: a failed action
// blocks builds until it is cancelled. Of cancelling only the way for disks is known (CancelDiskAction). Panel 7.1; older panels show what waits in
// Server.Tasks.
//
// Class: read.
// API: GET /servers/{serverId}/actions
func (s *ServersService) ListActions(ctx context.Context, id ServerID, o ListActionsOptions, opts ...CallOption) iter.Seq2[ServerAction, error] {
	err := positive("serverId", id)
	if err == nil && o.State != "" && !o.State.Known() {
		err = provisioning.InvalidField("state", "must be a state that the panel knows")
	}
	if err != nil {
		return func(yield func(ServerAction, error) bool) { yield(ServerAction{}, err) }
	}
	query := url.Values{}
	if o.State != "" {
		query.Set("state", string(o.State))
	}
	return rows[ServerAction](ctx, s.rest,
		pageCall{op: "listServerActions", since: panel71, path: []any{"servers", id, "actions"}, query: query, results: o.Results, opts: opts})
}
