package virtfusion

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/hvpanels/hvpanels/provisioning"
)

// WebhookName names what happened. The set is open; the panel knows more events than are documented.
type WebhookName string

// The documented events.
const (
	WebhookServerCreate     WebhookName = "server.create"      // HookEventID 1
	WebhookServerDestroy    WebhookName = "server.destroy"     // HookEventID 2
	WebhookServerBuild      WebhookName = "server.build"       // HookEventID 3
	WebhookServerAssignIPv6 WebhookName = "server.assign.ipv6" // HookEventID 4
	// WebhookCatchAll is what a webhook for all events is called in the panel, HookEventID 1000. Whether it ever is the name of an event is not documented.
	WebhookCatchAll WebhookName = "catch.all"
)

// Known reports whether the event is one of the constants.
func (n WebhookName) Known() bool {
	return slices.Contains([]WebhookName{WebhookServerCreate, WebhookServerDestroy, WebhookServerBuild, WebhookServerAssignIPv6, WebhookCatchAll}, n)
}

// WebhookStatus says how it ended. The set is open.
type WebhookStatus string

// The documented outcomes.
const (
	WebhookSuccess WebhookStatus = "success"
	WebhookFail    WebhookStatus = "fail"
)

// Known reports whether the outcome is one of the constants.
func (s WebhookStatus) Known() bool { return s == WebhookSuccess || s == WebhookFail }

const webhookTimeLayout = "2006-01-02T15:04:05.000000Z"

// WebhookJSON is a part of a webhook as the panel sent it. It is nil when the panel sent nothing, null, false, "" or [], which all mean "none". What it holds
// is hardly documented and may include passwords and console tokens, so it prints and logs as its length only.
type WebhookJSON json.RawMessage

// UnmarshalJSON keeps the text, or nil for "none".
func (j *WebhookJSON) UnmarshalJSON(b []byte) error {
	switch string(bytes.TrimSpace(b)) {
	case `null`, `false`, `""`, `[]`:
		*j = nil
	default:
		*j = bytes.Clone(b)
	}
	return nil
}

// MarshalJSON writes what was sent, and false for "none", as the panel does.
func (j WebhookJSON) MarshalJSON() ([]byte, error) {
	if j == nil {
		return []byte("false"), nil
	}
	return j, nil
}

// String prints the length, or "none".
func (j WebhookJSON) String() string {
	if j == nil {
		return "none"
	}
	return fmt.Sprintf("[%d bytes of JSON]", len(j))
}

// Format prints what String prints, for every verb.
func (j WebhookJSON) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, j.String()) }

// LogValue logs what String prints.
func (j WebhookJSON) LogValue() slog.Value { return slog.StringValue(j.String()) }

// WebhookEvent is one webhook. It is a hint, not the truth: it may be late, repeated, out of order, or caused by your own call of the API. Read the server
// from the API and compare its UUID before acting on it.
//
// It writes itself to JSON as the body that was received, and reads itself from it, so that it can be stored as it is; remember that the body may hold
// passwords. The headers X-VirtFusion-* repeat members of the body and are not read.
type WebhookEvent struct {
	Event   WebhookName
	Status  WebhookStatus
	Created Time
	HookID  Int // of the webhook in the panel
	// HookEventID is the number of the kind of event, see the constants of WebhookName. Of a webhook for all events it may be 1000 (guess).
	HookEventID Int

	ControlDomain      string
	ControlName        string
	ControlSupportLink string

	// Errors is the list "errors" inside of the data, as texts. Their shape is not documented: what is not a text is shown as JSON.
	Errors []string
	// Data is what belongs to the kind of event: see ServerCreate, ServerDestroy, ServerBuild, AssignIPv6 and Server.
	Data WebhookJSON
	// Body is the whole body.
	Body WebhookJSON
	// Problems names the members of the body that could not be read. They are zero here and unchanged in Body, and do not make the event invalid.
	Problems []string
}

// ParseWebhookEvent decodes the body of a webhook that was authenticated elsewhere, such as one taken from a queue. It fails, with Kind Invalid, only when
// body is not a JSON object.
func ParseWebhookEvent(body []byte) (WebhookEvent, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return WebhookEvent{}, provisioning.InvalidField("body", "is not a JSON object")
	}
	e := WebhookEvent{Body: bytes.Clone(body)}
	e.read(members, "", map[string]any{
		"event": (*Text)(&e.Event), "eventStatus": (*Text)(&e.Status), "created": &e.Created, "hookId": &e.HookID, "hookEventId": &e.HookEventID,
		"controlDomain": (*Text)(&e.ControlDomain), "controlName": (*Text)(&e.ControlName), "controlSupportLink": (*Text)(&e.ControlSupportLink),
		"data": &e.Data,
	})
	var errorList WebhookJSON
	e.read(e.dataMembers(), "data.", map[string]any{"errors": &errorList})
	e.Errors = webhookErrors(errorList)
	slices.Sort(e.Problems)
	return e, nil
}

func (e *WebhookEvent) read(members map[string]json.RawMessage, prefix string, fields map[string]any) {
	for name, field := range fields {
		if raw, present := members[name]; present && json.Unmarshal(raw, field) != nil {
			e.Problems = append(e.Problems, prefix+name)
		}
	}
}

// dataMembers is nil when the data are not an object.
func (e WebhookEvent) dataMembers() map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(e.Data, &members) != nil {
		return nil
	}
	return members
}

func webhookErrors(raw WebhookJSON) []string {
	if raw == nil {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{json.RawMessage(raw)}
	}
	texts := make([]string, 0, len(list))
	for _, one := range list {
		text := string(one)
		_ = json.Unmarshal(one, &text) // what is not a string stays JSON
		texts = append(texts, text)
	}
	return texts
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *WebhookEvent) UnmarshalJSON(b []byte) error {
	parsed, err := ParseWebhookEvent(b)
	if err != nil {
		return err
	}
	*e = parsed
	return nil
}

// MarshalJSON writes Body, or the other fields in the panel's form when Body is nil.
func (e WebhookEvent) MarshalJSON() ([]byte, error) {
	if e.Body != nil {
		return e.Body, nil
	}
	data := e.dataMembers()
	if data == nil && e.Data != nil {
		return nil, errors.New("the data of a webhook must be a JSON object")
	}
	if data == nil {
		data = map[string]json.RawMessage{}
	}
	if _, present := data["errors"]; !present || e.Errors != nil {
		list, err := json.Marshal(append([]string{}, e.Errors...))
		if err != nil {
			return nil, err
		}
		data["errors"] = list
	}
	return json.Marshal(map[string]any{
		"event": e.Event, "eventStatus": e.Status, "created": e.Created.UTC().Format(webhookTimeLayout), "hookId": e.HookID, "hookEventId": e.HookEventID,
		"controlDomain": e.ControlDomain, "controlName": e.ControlName, "controlSupportLink": e.ControlSupportLink, "data": data,
	})
}

// LogValue logs what happened, without the data.
func (e WebhookEvent) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("event", string(e.Event)), slog.String("status", string(e.Status)), slog.Int64("hook_id", int64(e.HookID)), slog.Int("errors", len(e.Errors)),
	}
	if server, ok := e.Server(); ok {
		attrs = append(attrs, slog.Int64("server_id", int64(server.ID)))
	}
	return slog.GroupValue(attrs...)
}

// WebhookServer names the server an event is about.
type WebhookServer struct {
	ID   ServerID
	UUID string // "" when the panel did not send it
}

// Server returns the server the event is about, from the member "server" of its data, whatever the event. ok is false when there is none; the panel sends
// false in its place when, for example, a creation failed. That the object has the members id and uuid, as in the API, is a guess.
func (e WebhookEvent) Server() (server WebhookServer, ok bool) {
	var members struct {
		ID   json.RawMessage `json:"id"`
		UUID json.RawMessage `json:"uuid"`
	}
	if json.Unmarshal(e.dataMembers()["server"], &members) != nil || json.Unmarshal(members.ID, &server.ID) != nil || server.ID <= 0 {
		return WebhookServer{}, false
	}
	_ = json.Unmarshal(members.UUID, &server.UUID)
	return server, true
}

// WebhookServerCreateData is what server.create tells.
type WebhookServerCreateData struct {
	Server     WebhookJSON `json:"server"`
	Args       WebhookJSON `json:"args"` // what the creation was asked for
	Allocation WebhookJSON `json:"allocation"`
}

// ServerCreate returns the data of server.create; ok is false for other events, and when the data are not an object.
func (e WebhookEvent) ServerCreate() (data WebhookServerCreateData, ok bool) {
	return webhookData[WebhookServerCreateData](e, WebhookServerCreate)
}

// WebhookServerData is what server.destroy and server.build tell.
type WebhookServerData struct {
	Server WebhookJSON `json:"server"`
}

// ServerDestroy returns the data of server.destroy; ok is false for other events, and when the data are not an object.
func (e WebhookEvent) ServerDestroy() (data WebhookServerData, ok bool) {
	return webhookData[WebhookServerData](e, WebhookServerDestroy)
}

// ServerBuild returns the data of server.build; ok is false for other events, and when the data are not an object.
func (e WebhookEvent) ServerBuild() (data WebhookServerData, ok bool) {
	return webhookData[WebhookServerData](e, WebhookServerBuild)
}

// WebhookAssignIPv6Data is what server.assign.ipv6 tells. Each part of IPv6 is nil when it was not assigned.
type WebhookAssignIPv6Data struct {
	Server WebhookJSON
	IPv6   struct {
		Block       WebhookJSON `json:"block"`
		Subnet      WebhookJSON `json:"subnet"`
		IP          WebhookJSON `json:"ip"`
		RouteBlock  WebhookJSON `json:"routeBlock"`
		RouteSubnet WebhookJSON `json:"routeSubnet"`
	}
}

// AssignIPv6 returns the data of server.assign.ipv6; ok is false for other events, and when the data are not an object. When the member "ipv6" is not an
// object, all its parts are nil.
func (e WebhookEvent) AssignIPv6() (data WebhookAssignIPv6Data, ok bool) {
	outer, ok := webhookData[struct {
		Server WebhookJSON `json:"server"`
		IPv6   WebhookJSON `json:"ipv6"`
	}](e, WebhookServerAssignIPv6)
	if !ok {
		return data, false
	}
	data.Server = outer.Server
	_ = json.Unmarshal(outer.IPv6, &data.IPv6)
	return data, true
}

func webhookData[T any](e WebhookEvent, name WebhookName) (data T, ok bool) {
	if e.Event != name || e.dataMembers() == nil || json.Unmarshal(e.Data, &data) != nil {
		var none T
		return none, false
	}
	return data, true
}
