package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/examples/internal/strictjson"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// The limits of a request's body.
const (
	maxBody  = 64 << 10 // bytes
	bodyTime = 10 * time.Second
)

// readJSON decodes the body. An error names the field.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(bodyTime)) // where there is a connection
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = c.SetReadDeadline(time.Time{}) // while the answer is made, the server watches whether the caller is still there
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return provisioning.InvalidField("body", "must be at most %d bytes", maxBody)
	}
	if err != nil {
		return provisioning.InvalidField("body", "could not be read")
	}
	err = strictjson.Object(b, v)
	if _, named := errors.AsType[*provisioning.Error](err); err != nil && !named {
		return provisioning.InvalidField("body", "%v", err)
	}
	return err
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // #nosec G705 -- JSON; that nobody reads it is no reason for a second answer
	return nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// acceptedDocument says where to look for what becomes of a request.
type acceptedDocument struct {
	Key     string `json:"key"`
	Status  string `json:"status"`
	Events  string `json:"events"`
	Command string `json:"command,omitempty"`
}

// commandDocument is what became of something that is done once.
type commandDocument struct {
	Key     string              `json:"key"`
	Verb    engine.Verb         `json:"verb"`
	State   engine.CommandState `json:"state"`
	Over    bool                `json:"over"`
	Message string              `json:"message,omitempty"`
}

type errorDocument struct {
	Error struct {
		Kind         provisioning.Kind `json:"kind"`
		Field        string            `json:"field,omitempty"` // of the request
		Message      string            `json:"message"`
		MaybeApplied bool              `json:"maybeApplied,omitempty"` // look before doing it again
	} `json:"error"`
}

// requestFields are the fields of requests that are called otherwise in the engine.
var requestFields = map[string]string{"owner.ref": "customer", "owner.name": "customer", "owner.email": "customer"}

// describeError says what to answer.
func describeError(err error) (status int, d errorDocument) {
	e, ok := errors.AsType[*provisioning.Error](err)
	if !ok {
		d.Error.Kind, d.Error.Message = provisioning.Unexpected, "this is not your fault, and was logged"
		return http.StatusInternalServerError, d
	}
	d.Error.Kind, d.Error.MaybeApplied = e.Kind, e.MaybeApplied
	d.Error.Message = e.Message
	for field, messages := range e.Fields {
		if name := requestFields[field]; name != "" {
			field = name
		}
		d.Error.Field, d.Error.Message = field, field+": "+strings.Join(messages, ", ")
	}
	switch e.Kind {
	case provisioning.Invalid:
		return http.StatusBadRequest, d
	case provisioning.NotFound:
		return http.StatusNotFound, d
	case provisioning.Conflict:
		return http.StatusConflict, d
	}
	return http.StatusInternalServerError, d
}

type listDocument struct {
	Services []serviceDocument `json:"services"`
	After    string            `json:"after,omitempty"` // there may be more behind this key
}

// serviceDocument is a service as it was seen last.
type serviceDocument struct {
	Key       string         `json:"key"`
	Customer  string         `json:"customer"`
	Hostname  string         `json:"hostname"`
	Desired   engine.Desired `json:"desired"`
	AsDesired bool           `json:"asDesired"`
	Why       string         `json:"why,omitempty"` // it is not as desired
	State     engine.State   `json:"state"`         // of the server
	Person    bool           `json:"needsPerson,omitempty"`
	Server    *serverDoc     `json:"server,omitempty"`
	Record    *recordDoc     `json:"record,omitempty"` // on the OSPAB panel
	// PasswordWaits says that POST /vps/{key}/password would tell one.
	PasswordWaits bool      `json:"passwordWaits,omitempty"`
	Deferred      []string  `json:"deferred,omitempty"` // what the panel does at the next restart
	DeleteAt      time.Time `json:"deleteAt,omitzero"`
}

type serverDoc struct {
	ID             provisioning.ID                      `json:"id"`
	State          provisioning.State                   `json:"state"`
	PrimaryAddress string                               `json:"primaryAddress,omitempty"`
	Addresses      []netip.Prefix                       `json:"addresses,omitempty"`
	VCPUs          provisioning.Opt[int]                `json:"vcpus,omitzero"`
	Memory         provisioning.Opt[provisioning.Bytes] `json:"memory,omitzero"`
	Disk           provisioning.Opt[provisioning.Bytes] `json:"disk,omitzero"`
	Image          string                               `json:"image,omitempty"`
	Location       string                               `json:"location,omitempty"`
	Seen           time.Time                            `json:"seen,omitzero"`
}

type recordDoc struct {
	ID     provisioning.RecordID     `json:"id,omitempty"`
	State  engine.State              `json:"state"`
	Status provisioning.RecordStatus `json:"status,omitempty"` // the last one that the panel has acknowledged
}

func describeService(o placed, s engine.Status) serviceDocument {
	d := serviceDocument{
		Key: o.key, Customer: o.customer, Hostname: o.hostname, Desired: s.Desired, AsDesired: s.AsDesired, State: s.State,
		PasswordWaits: s.PasswordWaits, Deferred: s.Deferred,
	}
	if s.State == engine.Deleting {
		d.DeleteAt = s.DeleteAt
	}
	if !s.AsDesired {
		d.Why = why(s.Message)
	}
	if s.Instance.ID != "" && s.State != engine.Gone {
		d.Server = describeServer(s.Instance, s.Observed)
	}
	for _, t := range s.Targets {
		d.Person = d.Person || t.State.NeedsPerson()
		if t.Registrar {
			d.Record = &recordDoc{ID: t.RecordID, State: t.State}
		}
		if t.Registrar && t.State != engine.Gone {
			d.Record.Status = t.Acknowledged
		}
	}
	return d
}

// why words the engine's message for a service of which a part is as desired.
func why(message string) string {
	const fine = "as desired"
	if message == fine {
		return "it is being looked at"
	}
	return strings.TrimPrefix(message, fine+"; ") // the server is, and its record is not
}

func describeServer(i provisioning.Instance, seen time.Time) *serverDoc {
	d := &serverDoc{ID: i.ID, State: i.State(), VCPUs: i.VCPUs, Memory: i.Memory, Disk: i.Disk, Image: i.Image, Location: i.Location, Seen: seen}
	if p := i.PrimaryAddress(); p.IsValid() {
		d.PrimaryAddress = p.String()
	}
	for _, a := range i.Addresses {
		d.Addresses = append(d.Addresses, a.Prefix)
	}
	return d
}

type passwordDocument struct {
	Password provisioning.Secret `json:"password"`
}

// LogValue keeps the password out of logs.
func (d passwordDocument) LogValue() slog.Value { return slog.AnyValue(d.Password) }

type planDocument struct {
	Checked     int             `json:"checked"` // servers and records
	Differences []differenceDoc `json:"differences"`
	Incomplete  []string        `json:"incomplete,omitempty"` // what could not be looked at
	Resynced    []string        `json:"resynced,omitempty"`   // keys, with ?apply=true
}

type differenceDoc struct {
	Panel string         `json:"panel"`
	Key   string         `json:"key,omitempty"`
	ID    string         `json:"id,omitempty"`
	What  engine.Finding `json:"what"`
	Want  string         `json:"want"`
	Have  string         `json:"have"`
	Mend  bool           `json:"mend"` // ?apply=true tries to put it right
}

func describePlan(p engine.Plan) planDocument {
	d := planDocument{Checked: p.Checked, Differences: []differenceDoc{}, Incomplete: p.Incomplete, Resynced: p.Resynced}
	for _, x := range p.Differences {
		d.Differences = append(d.Differences, differenceDoc{x.Panel, x.Key, x.ID, x.What, x.Want, x.Have, x.Mend})
	}
	return d
}

type healthDocument struct {
	Status string      `json:"status"`
	Panels []healthDoc `json:"panels,omitempty"`
}

type healthDoc struct {
	Name        string    `json:"name"`
	Paused      bool      `json:"paused"`
	Cause       string    `json:"cause,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Pending     int       `json:"pending"`         // services that are not done on this panel
	Oldest      time.Time `json:"oldest,omitzero"` // since when the one is pending that has waited longest
	NeedsPerson int       `json:"needsPerson"`
}

func describeHealth(panels []engine.PanelStatus, backlog []engine.Backlog) healthDocument {
	d := healthDocument{Status: "ok"}
	of := map[string]engine.Backlog{}
	for _, b := range backlog {
		of[b.Panel] = b
	}
	for _, p := range panels {
		b := of[p.Name]
		d.Panels = append(d.Panels, healthDoc{p.Name, p.Paused, p.Cause, p.Reason, b.Pending, b.Oldest, b.NeedsPerson})
	}
	return d
}
