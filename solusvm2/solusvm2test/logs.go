package solusvm2test

import (
	"slices"
	"time"
)

// logEntry is one entry of the activity log. Its events are not those of event handlers.
type logEntry struct {
	ID      int64     `json:"id"`
	Event   string    `json:"event"`
	Email   string    `json:"email"` // of the user who caused it, "" for the panel itself
	Created time.Time `json:"created"`
	Data    any       `json:"data"`
}

// maxLog is how many entries the activity log keeps at least.
const maxLog = 10_000

// log adds an entry.
func (st *state) log(now time.Time, email, event string, data any) {
	if len(st.Log) >= 2*maxLog {
		st.Log = slices.Delete(st.Log, 0, maxLog)
	}
	st.Log = append(st.Log, logEntry{ID: st.next("log"), Event: event, Email: email, Created: now, Data: data})
}

func logOperations() []operation {
	return []operation{{"listActivityLogs", "GET /activity_logs", admins, (*call).listActivityLogs}}
}

// listActivityLogs starts with the oldest entry (guess).
func (c *call) listActivityLogs() answer {
	return page(c, slices.DeleteFunc(slices.Clone(c.Log), func(e logEntry) bool {
		u := c.userByEmail(e.Email)
		return !c.matches("event", e.Event) || c.filter("user_id") != "" && (u == nil || !c.matchesID("user_id", u.ID))
	}), func(e logEntry) obj {
		return obj{"id": e.ID, "event": e.Event, "user_email": nullable(e.Email), "created_at": c.time(e.Created), "data": e.Data}
	})
}
