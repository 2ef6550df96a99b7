package solusvm2test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// The events that a handler can be tied to, by the labels of the panel's drop-down list. Only the first label is documented literally. Of the others, the
// removal of a server is mentioned; that there are more follows from the parameters, and their labels are guesses.
const (
	EventAdditionalIP          = "Add or remove an additional IP" // a migration that changes addresses counts too
	EventServerCreated         = "Create a server"
	EventServerDeleted         = "Remove a server"
	EventServerMigrated        = "Migrate a server"
	EventUserCreated           = "Create a user"
	EventUserDeleted           = "Remove a user"
	EventComputeResourceStatus = "Change the status of a compute resource"
)

// Events returns the list that handlers choose from.
func Events() []string {
	return []string{
		EventAdditionalIP, EventServerCreated, EventServerDeleted, EventServerMigrated, EventUserCreated, EventUserDeleted, EventComputeResourceStatus,
	}
}

// EventHandler is one webhook as an administrator enters it under Settings, Event Handlers.
type EventHandler struct {
	ID      int64
	Name    string // unique
	URL     string // http or https. A query of its own is replaced by the parameters (guess).
	Events  []string
	Enabled bool
	// Parameters is the JSON text of an object with further parameters, "" for none. It usually holds the shared secret.
	Parameters provisioning.Secret
}

// eventHandler is a handler as it is stored, and as EventHandlersAPI shows it.
type eventHandler struct {
	ID         int64           `json:"id"`
	Name       string          `json:"name"`
	URL        string          `json:"url"`
	Events     []string        `json:"events"`
	Parameters json.RawMessage `json:"parameters"` // an object
	Enabled    bool            `json:"enabled"`
}

func (h *eventHandler) view() EventHandler {
	return EventHandler{
		ID: h.ID, Name: h.Name, URL: h.URL, Events: slices.Clone(h.Events), Enabled: h.Enabled, Parameters: provisioning.Secret(h.Parameters),
	}
}

func (h EventHandler) stored() *eventHandler {
	parameters := json.RawMessage(h.Parameters.Reveal())
	if len(parameters) == 0 {
		parameters = json.RawMessage("{}")
	}
	return &eventHandler{ID: h.ID, Name: h.Name, URL: h.URL, Events: slices.Clone(h.Events), Parameters: parameters, Enabled: h.Enabled}
}

// AddEventHandler adds a handler and returns it with its id. It fires from the next event on.
func (p *Panel) AddEventHandler(in EventHandler) (EventHandler, error) {
	in.ID = 0
	return p.storeHandler(in)
}

// ChangeEventHandler replaces the handler with the id of in, at once. Without Enabled it is switched off.
func (p *Panel) ChangeEventHandler(in EventHandler) error {
	if in.ID == 0 {
		return errNoHandler
	}
	_, err := p.storeHandler(in)
	return err
}

// RemoveEventHandler removes a handler.
func (p *Panel) RemoveEventHandler(id int64) (err error) {
	p.look(func(c *call) {
		if c.Handlers[id] == nil {
			err = errNoHandler
			return
		}
		delete(c.Handlers, id)
	})
	return err
}

// EventHandlers returns the handlers in the order of their ids.
func (p *Panel) EventHandlers() []EventHandler {
	return view(p, func(c *call) []EventHandler {
		list := []EventHandler{}
		for _, h := range sorted(c.Handlers) {
			list = append(list, h.view())
		}
		return list
	})
}

var errNoHandler = errors.New("solusvm2test: there is no such event handler")

// storeHandler checks and stores a handler, a new one without an id.
func (p *Panel) storeHandler(in EventHandler) (EventHandler, error) {
	var err error
	p.look(func(c *call) {
		if in.ID != 0 && c.Handlers[in.ID] == nil {
			err = errNoHandler
		} else {
			err = c.checkHandler(in)
		}
		if err != nil {
			return
		}
		if in.ID == 0 {
			in.ID = c.next("handler")
		}
		c.Handlers[in.ID] = in.stored()
	})
	return in, err
}

// checkHandler refuses what the panel's form would refuse. No error holds the parameters.
func (st *state) checkHandler(h EventHandler) error {
	u, urlErr := url.Parse(h.URL)
	_, paramErr := extraParams(json.RawMessage(h.Parameters.Reveal()))
	unknown := slices.IndexFunc(h.Events, func(e string) bool { return !slices.Contains(Events(), e) })
	switch {
	case strings.TrimSpace(h.Name) == "":
		return errors.New("solusvm2test: an event handler needs a name")
	case slices.ContainsFunc(sorted(st.Handlers), func(o *eventHandler) bool { return o.ID != h.ID && o.Name == h.Name }):
		return fmt.Errorf("solusvm2test: there is an event handler with the name %q", h.Name)
	case urlErr != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("solusvm2test: an event handler needs the http or https URL of its receiver")
	case len(h.Events) == 0:
		return errors.New("solusvm2test: an event handler needs an event")
	case unknown >= 0:
		return fmt.Errorf("solusvm2test: there is no event %q, only %q", h.Events[unknown], Events())
	}
	return paramErr
}

// pair is one parameter of a webhook.
type pair struct{ name, value string }

// extraParams reads the additional parameters of a handler. They may be nested, which nobody has seen on the wire; it is written as PHP writes a query
// (guess): name[key] for what is in an object or list, 1 and 0 for true and false, nothing for null. The order is that of the names.
func extraParams(text json.RawMessage) ([]pair, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&object) != nil || object == nil || !json.Valid(text) {
		return nil, errors.New("solusvm2test: the additional parameters of an event handler must be a JSON object")
	}
	var list []pair
	for _, name := range slices.Sorted(maps.Keys(object)) {
		list = appendParam(list, name, object[name])
	}
	return list, nil
}

func appendParam(list []pair, name string, v any) []pair {
	switch v := v.(type) {
	case nil:
		return list
	case bool:
		return append(list, pair{name, map[bool]string{true: "1", false: "0"}[v]})
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			list = appendParam(list, name+"["+key+"]", v[key])
		}
		return list
	case []any:
		for i, item := range v {
			list = appendParam(list, name+"["+strconv.Itoa(i)+"]", item)
		}
		return list
	}
	return append(list, pair{name, fmt.Sprint(v)})
}

// subject is what an event is about. A server brings its owner and its compute resource along.
type subject struct {
	server *server
	user   *user
	node   *node
	gone   bool // the server is being removed
}

// fire makes one call for every handler that is tied to an event, to be sent when the panel is let go. Each is a task.
func (st *state) fire(now time.Time, event string, about subject) {
	for _, h := range sorted(st.Handlers) {
		if !h.Enabled || !slices.Contains(h.Events, event) {
			continue
		}
		nodeID := int64(0)
		if about.server != nil {
			nodeID = about.server.NodeID
		}
		t := st.addTask(&task{NodeID: nodeID, Action: taskWebhook, Created: now, Start: now})
		st.Deliveries = append(st.Deliveries, &delivery{
			TaskID: t.ID, HandlerID: h.ID, HandlerName: h.Name, Event: event, Time: now, URL: st.target(h, about),
		})
		st.log(now, "", "external_integration_requested", obj{"handler": h.Name}) // guess
	}
}

// target is the URL that is called: all parameters of the manual in its order, then those of the handler. Which parameters are filled for which event is a
// guess: those of a subject that the event does not have are empty.
func (st *state) target(h *eventHandler, about subject) string {
	params := st.params(about)
	if extra, err := extraParams(h.Parameters); err == nil { // it was checked when it was stored
		params = append(params, extra...)
	}
	var query []string
	for _, p := range params {
		query = append(query, url.QueryEscape(p.name)+"="+url.QueryEscape(p.value))
	}
	u, err := url.Parse(h.URL)
	if err != nil {
		return h.URL
	}
	u.RawQuery, u.Fragment = strings.Join(query, "&"), ""
	return u.String()
}

// params are the parameters that are always passed. After the removal of a server its status is "not exist", and its addresses are those that it had (guess).
func (st *state) params(about subject) []pair {
	s, u, n := about.server, about.user, about.node
	if s != nil {
		u, n = st.Users[s.UserID], st.Nodes[s.NodeID]
	}
	list := []pair{
		{"crId", ""}, {"crHostname", ""}, {"crStatus", ""}, {"crLicenseType", ""}, {"serverId", ""}, {"serverIps", "[]"}, {"serverHostname", ""}, {"serverUuid", ""},
		{"serverStatus", ""}, {"userId", ""}, {"billingUserId", ""}, {"userEmail", ""}, {"userStatus", ""}, {"userAllowedIps", "[]"},
	}
	set := func(first int, values ...string) {
		for i, v := range values {
			list[first+i].value = v
		}
	}
	if n != nil {
		set(0, itoa(n.ID), n.Host, n.Status, n.License)
	}
	if s != nil {
		status := s.guest()
		if about.gone {
			status = "not exist"
		}
		set(4, itoa(s.ID), jsonList(st.ips(s)), s.Name, s.UUID, status)
	}
	if u != nil {
		set(9, itoa(u.ID), u.BillingUserID, u.Email, u.Status, jsonList(u.AllowedIPs))
	}
	return list
}

func jsonList(list []string) string {
	b, _ := json.Marshal(append([]string{}, list...)) // texts always marshal
	return string(b)
}
