package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Limits of what is taken over from outside into an error.
const (
	maxMessage  = 200 // bytes
	maxCause    = 160
	maxID       = 64
	maxFields   = 20
	maxPerField = 5
)

// failure builds the error of the call from its record.
func (cl *call) failure() *provisioning.Error {
	e := &provisioning.Error{
		Status: cl.status, Kind: cl.kind, Message: cl.message, Fields: cl.fields, RequestID: cl.requestID(), RetryAfter: cl.retryAfter, Err: cl.cause,
	}
	if stopped := asError(cl.stop); stopped != nil {
		e.Kind, e.Message, e.Fields, e.RetryAfter, e.Err = stopped.Kind, stopped.Message, stopped.Fields, stopped.RetryAfter, stopped.Err
		if stopped.Status != 0 {
			e.Status, e.RequestID = stopped.Status, stopped.RequestID
		}
	} else if cl.stop != nil {
		e.Kind, e.Err = provisioning.Unavailable, cl.stop
	}
	e.Panel, e.Op, e.Method, e.Path, e.Attempts, e.MaybeApplied = cl.panel.Name, cl.Op, cl.Method, cl.path, cl.attempts, cl.doubt
	return e
}

func (cl *call) requestID() string {
	return shorten(cl.mask(cl.header.Get("X-Request-Id")), maxID)
}

// kindOf is the kind of a status about which the panel itself says nothing. A 404 is not "not found" unless the panel says so.
func kindOf(status int) provisioning.Kind {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return provisioning.Invalid
	case http.StatusUnauthorized:
		return provisioning.Unauthorized
	case http.StatusForbidden:
		return provisioning.Forbidden
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return provisioning.NoRoute
	case http.StatusConflict:
		return provisioning.Conflict
	case http.StatusLocked:
		return provisioning.Locked
	case http.StatusTooManyRequests:
		return provisioning.RateLimited
	}
	switch status / 100 {
	case 3:
		return provisioning.NoRoute
	case 5:
		return provisioning.Unavailable
	}
	return provisioning.Unexpected
}

// words keeps what an answer that is no success says.
func (cl *call) words(body []byte) {
	cl.kind = kindOf(cl.status)
	if cl.status/100 == 3 {
		cl.message = redirectMessage(cl.header.Get("Location"))
		return
	}
	if cl.panel.Refusal != nil {
		r := cl.panel.Refusal(cl.status, cl.header, body)
		if r.Kind != "" {
			cl.kind = r.Kind
		}
		cl.message, cl.fields = cl.tidy(r.Message, maxMessage), cl.tidyFields(r.Fields)
	}
	if cl.message == "" {
		cl.message = statusMessage(cl.status, cl.header, body)
	}
	if cl.Since != "" && (cl.status == http.StatusNotFound || cl.status == http.StatusMethodNotAllowed) && cl.kind == provisioning.NoRoute {
		cl.message += "; this operation needs panel " + cl.Since + " or later"
	}
}

func statusMessage(status int, header http.Header, body []byte) string {
	text := http.StatusText(status)
	if text == "" {
		text = fmt.Sprintf("status %d", status)
	}
	switch {
	case isHTML(header, body):
		return text + " (an HTML page, not the panel's answer)"
	case len(trim(body)) > 0 && !startsJSON(body):
		return text + " (text, not JSON)"
	}
	return text
}

func redirectMessage(location string) string {
	u, err := url.Parse(location)
	switch {
	case location == "" || err != nil:
		return "redirects are refused"
	case u.Host == "":
		return "a redirect within the same host was refused"
	}
	return shorten(fmt.Sprintf("a redirect to host %q was refused", u.Host), maxMessage)
}

// why says what ended an attempt: the caller, its time limit, or what the transport tells.
func (cl *call) why(err error) error {
	if ctxErr := cl.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if errors.Is(context.Cause(cl.attempt.ctx), errAttemptTimeout) {
		return errAttemptTimeout
	}
	return cl.hide(err)
}

// outside is an error from a transport, told without URL, query and credentials. It is what it wraps for errors.Is and errors.As, with one exception: a context
// error that is not the caller's own must not look like it.
type outside struct {
	text string
	err  error
}

func (o *outside) Error() string { return o.text }

func (o *outside) Is(target error) bool {
	if target == context.Canceled || target == context.DeadlineExceeded {
		return false
	}
	return errors.Is(o.err, target)
}

func (o *outside) As(target any) bool { return errors.As(o.err, target) }

func (cl *call) hide(err error) error {
	var withURL *url.Error
	for errors.As(err, &withURL) {
		err = withURL.Err
	}
	return &outside{text: cl.tidy(err.Error(), maxCause), err: err}
}

// asError finds the *provisioning.Error in err, or returns nil.
func asError(err error) *provisioning.Error {
	var e *provisioning.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// tidy makes a text from outside fit for an error: one line, no markup, no credentials, at most limit bytes.
func (cl *call) tidy(text string, limit int) string {
	return shorten(cl.mask(text), limit)
}

func (cl *call) tidyFields(fields map[string][]string) map[string][]string {
	if len(fields) == 0 {
		return nil
	}
	tidied := make(map[string][]string, len(fields))
	for name, messages := range fields {
		if len(tidied) == maxFields {
			break
		}
		var kept []string
		for _, m := range messages[:min(len(messages), maxPerField)] {
			kept = append(kept, cl.tidy(m, maxMessage))
		}
		tidied[cl.tidy(name, maxID)] = kept
	}
	return tidied
}

// shorten brings a text to one line without markup and control characters, of at most limit bytes.
func shorten(text string, limit int) string {
	if len(text) > 8*limit { // a page: no need to walk through all of it
		text = text[:8*limit]
	}
	var b strings.Builder
	inTag, space := false, false
	for _, r := range text {
		switch {
		case r == '<':
			inTag, space = true, true
		case r == '>' && inTag:
			inTag = false
		case inTag:
		case r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r):
			space = true
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			if b.Len()+utf8.RuneLen(r) > limit-len("...") {
				return b.String() + "..."
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}
