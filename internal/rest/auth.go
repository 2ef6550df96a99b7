package rest

import (
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

var acceptJSON, sendsJSON = []string{"application/json"}, []string{"application/json"}

// headers makes the headers of one attempt. They are made anew each time: a transport may still be reading those of an attempt that was given up.
//
// There is never an Idempotency-Key: no panel honours it, and net/http repeats a POST that carries one.
func (cl *call) headers(r *http.Request) (http.Header, error) {
	h := make(http.Header, 6)
	if cookies := r.Header["Cookie"]; len(cookies) > 0 { // from the caller's cookie jar, which adds them to r for every attempt
		h["Cookie"] = cookies
		delete(r.Header, "Cookie")
	}
	h["Accept"] = acceptJSON
	h["User-Agent"] = cl.agent
	if cl.body != nil {
		h["Content-Type"] = sendsJSON
	}
	cl.sent = h
	if cl.panel.Authorize == nil {
		return h, nil
	}
	if err := cl.panel.Authorize(cl.ctx, h); err != nil {
		return nil, cl.credentials("no credentials", err)
	}
	for _, values := range h {
		for _, v := range values {
			if strings.ContainsFunc(v, notInHeader) {
				return nil, provisioning.InvalidField("credentials", "hold characters that cannot be sent in a header, such as a line break")
			}
		}
	}
	return h, nil
}

func notInHeader(r rune) bool { return r < ' ' || r > '~' }

// logIn renews the credentials after a 401.
func (cl *call) logIn() error {
	cl.logins++
	if err := cl.panel.Login(cl.ctx); err != nil {
		return cl.credentials("login", err)
	}
	return nil
}

// credentials turns a failure to get credentials into the end of the call. That the login may have been carried out says nothing about the call itself.
func (cl *call) credentials(what string, err error) error {
	if ctxErr := cl.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	e := asError(err)
	if e == nil {
		return &provisioning.Error{Kind: provisioning.Unauthorized, Message: what, Err: cl.hide(err)}
	}
	return &provisioning.Error{
		Kind: e.Kind, Status: e.Status, Message: shorten(what+": "+e.Message, maxMessage), Fields: e.Fields, RequestID: e.RequestID, RetryAfter: e.RetryAfter, Err: e.Err,
	}
}

// mask replaces the credentials of the attempt, and the query, in a text that comes from outside.
func (cl *call) mask(text string) string {
	if cl.query != "" {
		text = strings.ReplaceAll(text, cl.query, "[query]")
	}
	for name, values := range cl.sent {
		if name == "Accept" || name == "User-Agent" || name == "Content-Type" {
			continue
		}
		for _, v := range values {
			if _, token, ok := strings.Cut(v, " "); ok && len(token) >= 4 { // "Bearer token"
				text = strings.ReplaceAll(text, token, "[secret]")
			}
			if len(v) >= 4 {
				text = strings.ReplaceAll(text, v, "[secret]")
			}
		}
	}
	return text
}
