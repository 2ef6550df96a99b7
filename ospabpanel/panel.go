package ospabpanel

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

const (
	panelName = "ospab"
	apiPrefix = "/api"
)

// refusal reads an error answer. A 404 is the panel's own "not found" only if it is one of its error objects and says that it is JSON: the panel's router
// answers an unknown route with plain text, and other programs with HTML. Nothing is decided by the text itself, of which some is Russian.
func refusal(status int, header http.Header, body []byte) rest.Refused {
	text := errorText(body)
	refused := rest.Refused{Message: text}
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		refused.Kind = provisioning.Invalid
	case http.StatusNotFound:
		refused.Kind = provisioning.NoRoute
		if text != "" && isJSON(header) {
			refused.Kind = provisioning.NotFound
		}
	case http.StatusMethodNotAllowed:
		refused.Kind = provisioning.NoRoute
	}
	return refused
}

func isJSON(header http.Header) bool {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// errorText returns the panel's words, "" when the answer is not one of its two error objects: {"error": "Bad Request", "message": text} and {"error": text}.
func errorText(body []byte) string {
	var answer struct{ Error, Message json.RawMessage }
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	short, long := plainText(answer.Error), plainText(answer.Message)
	if short == "" || long == "" || short == long {
		return cmp.Or(short, long)
	}
	return short + ": " + long
}

func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// unexpected and mismatch are what a check of an answer may find.
func unexpected(format string, args ...any) error {
	return &provisioning.Error{Kind: provisioning.Unexpected, Message: fmt.Sprintf(format, args...)}
}

func mismatch(format string, args ...any) error {
	return &provisioning.Error{Kind: provisioning.Mismatch, Message: fmt.Sprintf(format, args...)}
}
