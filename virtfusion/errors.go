package virtfusion

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// refusal reads an answer that is not a success. The panel has two envelopes of its own, {"errors":[...]} and {"msg":"..."}; {"message":"..."} is the framework
// speaking below it. Kinds that follow from the status alone are left to the core.
func refusal(status int, _ http.Header, body []byte) rest.Refused {
	said := readRefusal(body)
	r := rest.Refused{Message: strings.Join(said.texts, "; "), Fields: said.fields}
	switch status {
	case http.StatusNotFound:
		// Only the panel's own words mean that the record is gone. Anything else is a wrong path, a proxy or an older panel, and must never be read as
		// "deleted".
		r.Kind = provisioning.NoRoute
		if said.own {
			r.Kind = provisioning.NotFound
		}
	case http.StatusUnprocessableEntity:
		r.Kind = provisioning.Invalid
		if aboutCapacity(r) {
			r.Kind = provisioning.Capacity
		}
	case http.StatusServiceUnavailable:
		// A proxy and a panel being updated answer 503 too, but not in the panel's own envelopes.
		if said.own {
			r.Kind = provisioning.Maintenance
		}
	}
	return r
}

// ownRefusal is for operations that declare a status as theirs: it is a refusal when the panel itself speaks, and otherwise left to the retry table.
func ownRefusal(status int) func(int, []byte) rest.Verdict {
	return func(got int, body []byte) rest.Verdict {
		if got == status && readRefusal(body).own {
			return rest.Refusal
		}
		return rest.Foreign
	}
}

type said struct {
	own    bool // in one of the panel's own envelopes
	texts  []string
	fields map[string][]string
}

func readRefusal(body []byte) said {
	var b struct {
		Errors  any `json:"errors"`
		Msg     any `json:"msg"`
		Message any `json:"message"`
	}
	if json.Unmarshal(body, &b) != nil {
		return said{}
	}
	var s said
	if byField, ok := b.Errors.(map[string]any); ok && len(byField) > 0 {
		s.own, s.fields = true, make(map[string][]string, len(byField))
		for field, v := range byField {
			s.fields[field] = texts(nil, v, 0)
		}
	} else {
		s.texts = texts(nil, b.Errors, 0)
	}
	if len(s.texts) == 0 {
		s.texts = texts(nil, b.Msg, 0)
	}
	s.own = s.own || len(s.texts) > 0
	if len(s.texts) == 0 {
		s.texts = texts(nil, b.Message, 0)
	}
	return s
}

// texts collects the text in v, which is text, a list, or lists in lists. Real clients met all three.
func texts(to []string, v any, depth int) []string {
	switch v := v.(type) {
	case string:
		if v = strings.TrimSpace(v); v != "" {
			to = append(to, v)
		}
	case []any:
		for _, e := range v {
			if depth < 4 {
				to = texts(to, e, depth+1)
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if depth < 4 {
				to = texts(to, v[k], depth+1)
			}
		}
	}
	return to
}

// capacityWords tell "there is no room" from "your input is wrong". Both are 422 and only the text differs; no list of texts is published, so this is a
// heuristic. The wrong guess is harmless: either way the call was refused and nothing was done.
var capacityWords = []string{"no available", "not enough", "insufficient", "no free", "no suitable", "exhausted"}

func aboutCapacity(r rest.Refused) bool {
	text := r.Message
	for _, messages := range r.Fields {
		text += " " + strings.Join(messages, " ")
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(capacityWords, func(w string) bool { return strings.Contains(text, w) })
}
