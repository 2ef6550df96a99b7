package solusvm2

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// refusal reads an answer that is not a success: {"message": "...", "errors": {"field": ["..."]}}. Kinds that follow from the status alone are left to the
// core.
func refusal(status int, _ http.Header, body []byte) rest.Refused {
	r := readRefusal(body)
	switch status {
	case http.StatusNotFound:
		// Only the panel's own words mean that the record is gone. Anything else is a wrong path, a proxy or an older panel, and must never be read as
		// "deleted".
		r.Kind = provisioning.NoRoute
		if r.Message != "" && !strings.Contains(strings.ToLower(r.Message), "route") {
			r.Kind = provisioning.NotFound
		}
	case http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable:
		r.Kind = kindOfWords(status, r)
	}
	return r
}

// loginRefusal is refusal for the login, which the panel refuses with a validation error when e-mail address and password do not fit.
func loginRefusal(status int, header http.Header, body []byte) rest.Refused {
	r := refusal(status, header, body)
	if status == http.StatusUnprocessableEntity {
		r.Kind = provisioning.Unauthorized
	}
	return r
}

func readRefusal(body []byte) rest.Refused {
	var b struct {
		Message any `json:"message"`
		Errors  any `json:"errors"`
	}
	if json.Unmarshal(body, &b) != nil {
		return rest.Refused{}
	}
	r := rest.Refused{Message: strings.Join(texts(nil, b.Message, 0), "; ")}
	if byField, ok := b.Errors.(map[string]any); ok {
		r.Fields = make(map[string][]string, len(byField))
		for field, v := range byField {
			r.Fields[field] = texts(nil, v, 0)
		}
	} else if said := strings.Join(texts(nil, b.Errors, 0), "; "); r.Message == "" {
		r.Message = said
	} else if said != "" {
		r.Message += ": " + said
	}
	return r
}

// texts collects the text in v, which is text, a list, or lists in lists.
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

// The words that tell refusals with the same status apart. No list of texts is published, so this is a heuristic. A wrong guess is harmless: either way the
// call was refused and nothing was done.
var (
	maintenanceWords = []string{"maintenance"}
	capacityWords    = []string{"no available", "not enough", "insufficient", "no free", "no suitable", "exhausted"}
	busyWords        = []string{"processing", "busy", "in progress", "another task", "already running"}
)

// kindOfWords is "" where the words say nothing.
func kindOfWords(status int, r rest.Refused) provisioning.Kind {
	text := r.Message
	for _, messages := range r.Fields {
		text += " " + strings.Join(messages, " ")
	}
	text = strings.ToLower(text)
	about := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case about(maintenanceWords):
		return provisioning.Maintenance
	case status == http.StatusUnprocessableEntity && about(capacityWords), status == http.StatusConflict && about(capacityWords):
		return provisioning.Capacity
	case status == http.StatusConflict && (text == "" || about(busyWords)): // without words, because the answer was cut, it is the documented meaning: busy
		return provisioning.Locked
	}
	return ""
}
