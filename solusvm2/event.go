package solusvm2

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// The parameters the panel always passes, in the order of its manual.
const (
	paramCRID           = "crId"
	paramCRHostname     = "crHostname"
	paramCRStatus       = "crStatus"
	paramCRLicenseType  = "crLicenseType"
	paramServerID       = "serverId"
	paramServerIPs      = "serverIps"
	paramServerHostname = "serverHostname"
	paramServerUUID     = "serverUuid"
	paramServerStatus   = "serverStatus"
	paramUserID         = "userId"
	paramBillingUserID  = "billingUserId"
	paramUserEmail      = "userEmail"
	paramUserStatus     = "userStatus"
	paramUserAllowedIPs = "userAllowedIps"
)

var predefinedParams = []string{
	paramCRID, paramCRHostname, paramCRStatus, paramCRLicenseType,
	paramServerID, paramServerIPs, paramServerHostname, paramServerUUID, paramServerStatus,
	paramUserID, paramBillingUserID, paramUserEmail, paramUserStatus, paramUserAllowedIPs,
}

// EventParam is the user-defined parameter by which NewEventSetup tells the receiver which event handler fired, because the panel itself does not send the
// name of the event. It is a convention of this module.
const EventParam = "event"

// Event is one notification of an event handler. It is a hint, not the truth: it may be late, repeated, out of order, or caused by your own call of the API;
// read the server from the API before acting on it.
//
// Every parameter may be absent, and which ones the panel fills for which event is not documented. A string is "" when the parameter is absent, empty or
// "null". An Opt is absent when the parameter is absent or unreadable (then Problems says so), and null when it came empty or as "null".
//
// Event holds no secret, and encoding/json writes and reads it, so that it can be stored as it is. Text is as the caller sent it, of any length that fits
// into the URL; bytes that are not UTF-8 do not survive JSON.
type Event struct {
	ComputeResourceID       provisioning.Opt[ComputeResourceID] `json:"crId,omitzero"`
	ComputeResourceHostname string                              `json:"crHostname,omitempty"`
	ComputeResourceStatus   ComputeResourceStatus               `json:"crStatus,omitempty"`
	ComputeResourceLicense  LicenseType                         `json:"crLicenseType,omitempty"`

	ServerID provisioning.Opt[ServerID] `json:"serverId,omitzero"`
	// ServerIPs are the server's addresses. After an address was added or removed they are probably the list after the change (guess). An absent list is not an
	// empty one: never take addresses away because of it.
	ServerIPs      provisioning.Opt[[]netip.Addr] `json:"serverIps,omitzero"`
	ServerHostname string                         `json:"serverHostname,omitempty"`
	ServerUUID     string                         `json:"serverUuid,omitempty"`
	// ServerStatus has the API's spelling even when the panel sent another one ("not exists", or a word of the Portuguese manual).
	ServerStatus ServerStatus `json:"serverStatus,omitempty"`

	UserID provisioning.Opt[UserID] `json:"userId,omitzero"`
	// BillingUserID is the owner's id in the billing system, often empty.
	BillingUserID string `json:"billingUserId,omitempty"`
	UserEmail     string `json:"userEmail,omitempty"`
	// UserStatus has the API's spelling, as ServerStatus.
	UserStatus UserStatus `json:"userStatus,omitempty"`
	// UserAllowedIPs is where the user may use the panel from: networks, and single addresses as /32 or /128.
	UserAllowedIPs provisioning.Opt[[]netip.Prefix] `json:"userAllowedIps,omitzero"`

	// Extra holds all other parameters: the user-defined ones, and what later versions of the panel may add. The secret is not among them.
	Extra url.Values `json:"extra,omitempty"`
	// RawQuery is the query as it came, except that the value of the secret is replaced by "redacted", and so is any other value that contains the secret.
	RawQuery string `json:"rawQuery,omitempty"`
	// Duplicates names the parameters that came more than once; the first value counts. A repeated list is no duplicate but a list.
	Duplicates []string `json:"duplicates,omitempty"`
	// Problems tells which predefined parameters could not be read. They do not make the notification invalid.
	Problems []ParamProblem `json:"problems,omitempty"`
}

// ParamProblem is a parameter whose value could not be read.
type ParamProblem struct {
	Param  string `json:"param"`
	Value  string `json:"value"` // as it came
	Reason string `json:"reason"`
}

// Tag returns the parameter EventParam, by which NewEventSetup marks the event handler. It is "" when the handler was set up without it.
func (e Event) Tag() string { return e.Extra.Get(EventParam) }

// ParseEvent reads the parameters of a notification that was authenticated elsewhere, such as one taken from a queue. It never fails: see Event.Problems. The
// parameter DefaultSecretParam is dropped; if your secret has another name, delete it from values first. RawQuery is values in encoded form.
func ParseEvent(values url.Values) Event {
	clean := url.Values{}
	for name, all := range values {
		if isSecretParam(name, DefaultSecretParam) {
			all = slices.Repeat([]string{redacted}, len(all))
		}
		clean[name] = slices.Clone(all)
	}
	return parseEvent(clean, DefaultSecretParam, clean.Encode())
}

// parseEvent reads parameters whose secrets are masked already.
func parseEvent(values url.Values, secretParam, rawQuery string) Event {
	p := params{values: values, seen: map[string]bool{}}
	e := Event{
		ComputeResourceID:       idParam[ComputeResourceID](&p, paramCRID),
		ComputeResourceHostname: p.text(paramCRHostname),
		ComputeResourceStatus:   ComputeResourceStatus(p.text(paramCRStatus)),
		ComputeResourceLicense:  LicenseType(p.text(paramCRLicenseType)),
		ServerID:                idParam[ServerID](&p, paramServerID),
		ServerIPs:               listParam(&p, paramServerIPs, parseListedAddr),
		ServerHostname:          p.text(paramServerHostname),
		ServerUUID:              p.text(paramServerUUID),
		ServerStatus:            ServerStatus(statusWord(p.text(paramServerStatus))),
		UserID:                  idParam[UserID](&p, paramUserID),
		BillingUserID:           p.text(paramBillingUserID),
		UserEmail:               p.text(paramUserEmail),
		UserStatus:              UserStatus(statusWord(p.text(paramUserStatus))),
		UserAllowedIPs:          listParam(&p, paramUserAllowedIPs, parseListedPrefix),
		RawQuery:                rawQuery,
		Problems:                p.problems,
	}
	for name, all := range values {
		if len(all) > 1 && !slices.Contains(p.lists, name) {
			e.Duplicates = append(e.Duplicates, name)
		}
		if p.seen[name] || isSecretParam(name, secretParam) {
			continue
		}
		if e.Extra == nil {
			e.Extra = url.Values{}
		}
		e.Extra[name] = all
	}
	slices.Sort(e.Duplicates)
	return e
}

// params reads the predefined parameters and keeps track of what was read.
type params struct {
	values   url.Values
	seen     map[string]bool // names of predefined parameters that occurred
	lists    []string        // names whose repetition was read as a list
	problems []ParamProblem
}

// first returns the first value of a parameter; text "null" counts as none.
func (p *params) first(name string) (value string, present bool) {
	all, present := p.values[name]
	if !present {
		return "", false
	}
	p.seen[name] = true
	if len(all) == 0 || all[0] == "null" {
		return "", true
	}
	return all[0], true
}

func (p *params) text(name string) string {
	value, _ := p.first(name)
	return value
}

func (p *params) problem(name, value, reason string) {
	p.problems = append(p.problems, ParamProblem{Param: name, Value: value, Reason: reason})
}

func idParam[T ~int64](p *params, name string) provisioning.Opt[T] {
	value, present := p.first(name)
	text := strings.TrimSpace(value)
	switch {
	case !present:
		return provisioning.Opt[T]{}
	case text == "":
		return provisioning.Null[T]()
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		p.problem(name, value, "not a whole number of 1 or more")
		return provisioning.Opt[T]{}
	}
	return provisioning.Some(T(n))
}

// query encodes the event as the panel does, in the order of the manual, lists as JSON text. An absent Opt is left out.
func (e Event) query() string {
	texts := map[string]string{
		paramCRHostname: e.ComputeResourceHostname, paramCRStatus: string(e.ComputeResourceStatus), paramCRLicenseType: string(e.ComputeResourceLicense),
		paramServerHostname: e.ServerHostname, paramServerUUID: e.ServerUUID, paramServerStatus: string(e.ServerStatus),
		paramBillingUserID: e.BillingUserID, paramUserEmail: e.UserEmail, paramUserStatus: string(e.UserStatus),
	}
	addID(texts, paramCRID, e.ComputeResourceID)
	addID(texts, paramServerID, e.ServerID)
	addID(texts, paramUserID, e.UserID)
	addList(texts, paramServerIPs, e.ServerIPs, netip.Addr.String)
	addList(texts, paramUserAllowedIPs, e.UserAllowedIPs, func(p netip.Prefix) string {
		if p.IsSingleIP() {
			return p.Addr().String()
		}
		return p.String()
	})
	var pairs []string
	for _, name := range predefinedParams {
		if value, present := texts[name]; present {
			pairs = append(pairs, name+"="+url.QueryEscape(value))
		}
	}
	if len(e.Extra) > 0 {
		pairs = append(pairs, e.Extra.Encode())
	}
	return strings.Join(pairs, "&")
}

func addID[T ~int64](texts map[string]string, name string, id provisioning.Opt[T]) {
	if n, ok := id.Get(); ok {
		texts[name] = strconv.FormatInt(int64(n), 10)
	} else if id.IsNull() {
		texts[name] = ""
	}
}

func addList[T any](texts map[string]string, name string, list provisioning.Opt[[]T], text func(T) string) {
	if items, ok := list.Get(); ok {
		quoted := make([]string, 0, len(items))
		for _, item := range items {
			quoted = append(quoted, strconv.Quote(text(item)))
		}
		texts[name] = "[" + strings.Join(quoted, ",") + "]"
	} else if list.IsNull() {
		texts[name] = ""
	}
}
