package solusvm2

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// EventAdditionalIP is the label of the one event whose name is documented literally. The panel's list holds more (removing a server is mentioned); pick them
// from the panel's own drop-down.
const EventAdditionalIP = "Add or remove an additional IP"

// EventSetupRequest describes one event handler to be entered in the panel.
type EventSetupRequest struct {
	Name string // must be unique in the panel
	// URL is where NewEventHandler is reached: the final address, because the panel follows up to five redirects and a redirect may turn POST into GET and
	// lose the query. It has no query of its own: whether the panel would merge or overwrite it is not documented.
	URL   string
	Event string // as the panel's list shows it: EventAdditionalIP
	// Tag is sent with every notification as the parameter EventParam and comes back from Event.Tag, because the panel does not send the name of the event.
	// Use one handler and one tag for each event. 1 to 64 letters, digits, "_" or "-".
	Tag string
	// Extra are further constant parameters: texts under names of 1 to 64 letters, digits, "_" or "-" that the panel does not use itself.
	Extra map[string]string
}

// EventSetup is what an administrator enters in the panel.
type EventSetup struct {
	Name  string
	URL   string
	Event string
	// Parameters is the JSON text for the additional parameters. It contains the secret, so it prints as a mask; Reveal and WriteTo show it.
	Parameters provisioning.Secret
}

// LogValue logs all of it, with its secrets masked.
func (s EventSetup) LogValue() slog.Value { return provisioning.Masked(s) }

// NewEventSetup prepares the values for Settings > Event Handlers > Add Webhook. The secret is the first of o.Secrets. Errors are of Kind Invalid and name
// the field.
func NewEventSetup(o EventOptions, r EventSetupRequest) (EventSetup, error) {
	if _, err := newEventVerifier(o); err != nil {
		return EventSetup{}, err
	}
	for _, required := range []struct{ field, value string }{{"Name", r.Name}, {"Event", r.Event}} {
		if strings.TrimSpace(required.value) == "" || strings.ContainsAny(required.value, "\r\n") {
			return EventSetup{}, provisioning.InvalidField(required.field, "must be one line and not empty")
		}
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return EventSetup{}, provisioning.InvalidField("URL", "must be an absolute http or https address without user, query and fragment")
	}
	if !isPlainName(r.Tag) {
		return EventSetup{}, provisioning.InvalidField("Tag", "must be 1 to 64 letters, digits, _ or -")
	}
	parameters := map[string]string{o.secretParam(): o.Secrets[0].Reveal(), EventParam: r.Tag}
	for _, name := range slices.Sorted(maps.Keys(r.Extra)) {
		if err := checkParamName("Extra", name); err != nil {
			return EventSetup{}, err
		}
		if _, taken := parameters[name]; taken {
			return EventSetup{}, provisioning.InvalidField("Extra", "%q is set by NewEventSetup itself", name)
		}
		parameters[name] = r.Extra[name]
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(parameters); err != nil {
		return EventSetup{}, provisioning.InvalidField("Extra", "cannot be written as JSON")
	}
	return EventSetup{Name: r.Name, URL: u.String(), Event: r.Event, Parameters: provisioning.Secret(strings.TrimSpace(text.String()))}, nil
}

// WriteTo writes the steps for the administrator, in plain text, with the secret in them: write it where only the administrator looks. The menu path is the
// vendor's; the names of the form's fields may differ a little between versions.
func (s EventSetup) WriteTo(w io.Writer) (int64, error) {
	n, err := fmt.Fprintf(w, `In SolusVM 2 open Settings > Event Handlers > Add Webhook and enter:
  Name:                   %s
  URL:                    %s
  Events:                 %s
  Additional parameters:  %s
  Enabled:                yes
Save. It fires from the next matching event on. A task "Failed" in the panel means that the notification was refused or not stored.
`, s.Name, s.URL, s.Event, s.Parameters.Reveal())
	return int64(n), err
}

// NewEventTestRequest builds the request the panel sends for e: POST, everything in the URL of target, lists as JSON text, and the first of o.Secrets. An
// absent Opt is left out; empty texts are sent empty. RawQuery, Duplicates and Problems of e are ignored; change URL.RawQuery of the request for odd cases.
// It can be sent with an http.Client, or given to the handler directly; then set RemoteAddr when AllowFrom is used.
func NewEventTestRequest(ctx context.Context, target string, o EventOptions, e Event) (*http.Request, error) {
	if _, err := newEventVerifier(o); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	if err != nil {
		return nil, provisioning.InvalidField("target", "is not a URL")
	}
	r.URL.RawQuery = e.query() + "&" + o.secretParam() + "=" + url.QueryEscape(o.Secrets[0].Reveal())
	return r, nil
}

// checkParamName refuses names that the panel, PHP or this module would take for something else.
func checkParamName(field, name string) error {
	if !isPlainName(name) {
		return provisioning.InvalidField(field, "the name of a parameter has 1 to 64 letters, digits, _ or -")
	}
	for _, used := range append([]string{EventParam}, predefinedParams...) {
		if strings.EqualFold(name, used) {
			return provisioning.InvalidField(field, "the parameter %q has its own meaning", used)
		}
	}
	return nil
}

func isPlainName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}
