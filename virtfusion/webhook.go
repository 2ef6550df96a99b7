package virtfusion

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/internal/webhook"
	"github.com/hvpanels/hvpanels/provisioning"
)

// WebhookOptions says whose webhooks are accepted. Only Tokens is required; AllowFrom is advised, because the panel sends the token itself and no signature.
type WebhookOptions struct {
	// Tokens are all accepted, so that the panel's webhooks can be changed to a new one at leisure: put the new one first, change the webhooks, remove the
	// old one. Each has 16 to 512 printable ASCII characters without spaces, as entered in the panel (the panel encodes it in base64 by itself). None at all
	// is an error: the panel's webhooks work without a token, this receiver does not.
	Tokens []provisioning.Secret
	// AllowFrom lists the addresses of the panel (its control server). Empty means every source. IPv4-mapped IPv6 addresses count as IPv4.
	AllowFrom []netip.Prefix
	// TrustedProxies lists the reverse proxies whose X-Forwarded-For header is believed. From anybody else the header is ignored; no other forwarding header
	// is ever read. A proxy that connects over a Unix socket has no address and cannot be named here.
	TrustedProxies []netip.Prefix
	// MaxBodyBytes limits the body, 1 MiB when 0.
	MaxBodyBytes int
	// MaxURLBytes limits path and query, 64 KiB when 0.
	MaxURLBytes int
	// MaxHeaderBytes limits each header value, 8 KiB when 0.
	MaxHeaderBytes int
	// StoreTimeout ends the context of the store function, 10 s when 0. How long the panel waits for an answer is not documented.
	StoreTimeout time.Duration
	// Logger gets refused calls as warnings, failures to store as errors (with the text of the store function's error) and accepted ones at debug level.
	// It never gets a query, a token, a header or a body. Nil is silent.
	Logger *slog.Logger
}

// LogValue logs all of it, with its secrets masked.
func (w WebhookOptions) LogValue() slog.Value { return provisioning.Masked(w) }

// webhookVerifier keeps the tokens only inside of match, where printing it does not reach them.
type webhookVerifier struct {
	receiver *webhook.Receiver
	match    func(string) bool
}

func newWebhookVerifier(o WebhookOptions) (*webhookVerifier, error) {
	match, err := webhook.NewMatcher("Tokens", o.Tokens)
	if err != nil {
		return nil, err
	}
	receiver, err := webhook.New("virtfusion", webhook.Options{
		AllowFrom: o.AllowFrom, TrustedProxies: o.TrustedProxies,
		MaxURLBytes: o.MaxURLBytes, MaxHeaderBytes: o.MaxHeaderBytes, MaxBodyBytes: o.MaxBodyBytes,
		StoreTimeout: o.StoreTimeout, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &webhookVerifier{receiver: receiver, match: match}, nil
}

// NewWebhookHandler receives the panel's webhooks (not its event hooks, which are scripts on the hypervisor). It calls store for each authentic one, and answers
//
//	204  store returned nil, and only then
//	400  the body is not a JSON object
//	401  the token is missing or wrong
//	403  the source address is not allowed
//	405  another method than POST
//	413, 414, 431  body, URL or a header value is too large
//	503  store returned an error, panicked, or was not called because the request had ended
//
// The checks run in this order: method, source, sizes, token; only then is the body read. Answers have no body. What the panel makes of an answer, how long it
// waits, and whether it repeats a failed call is not documented, nor is any protection against replay. So an event is a hint: expect it never, once or
// several times, in any order, and read the object from the API before acting.
//
// store must return quickly, and nil only when the event cannot be lost any more: insert it into a table or queue, and do the work elsewhere. It may run
// concurrently with itself, must obey its context, and must tolerate the same event twice.
//
// In the panel, enter the final URL of the handler, switch authentication on, enter the first of Tokens as it is, and choose the events; catch.all delivers
// all of them. Serve the handler with a http.Server that has ReadHeaderTimeout, ReadTimeout and WriteTimeout set; the handler cannot set them.
//
// Errors of NewWebhookHandler are of Kind Invalid and name the option.
func NewWebhookHandler(o WebhookOptions, store func(context.Context, WebhookEvent) error) (http.Handler, error) {
	v, err := newWebhookVerifier(o)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return nil, provisioning.InvalidField("store", "is required")
	}
	return webhook.Handler(v.receiver, v.verify, store), nil
}

// VerifyWebhook checks one request as NewWebhookHandler does, and decodes it, for programs that answer by themselves. It reads the body. An error is a
// *provisioning.Error whose Status is the status to answer with; errors in o itself have Status 0.
func VerifyWebhook(r *http.Request, o WebhookOptions) (WebhookEvent, error) {
	v, err := newWebhookVerifier(o)
	if err != nil {
		return WebhookEvent{}, err
	}
	return v.verify(r)
}

func (v *webhookVerifier) verify(r *http.Request) (WebhookEvent, error) {
	if err := v.receiver.Check(r); err != nil {
		return WebhookEvent{}, err
	}
	if !v.match(webhookToken(r)) {
		return WebhookEvent{}, v.receiver.Refuse(http.StatusUnauthorized, "the token is missing or wrong")
	}
	body, err := v.receiver.Body(r)
	if err != nil {
		return WebhookEvent{}, err
	}
	event, err := ParseWebhookEvent(body)
	if err != nil {
		return WebhookEvent{}, v.receiver.Refuse(http.StatusBadRequest, "the body is not a JSON object")
	}
	return event, nil
}

// webhookToken returns the decoded token of "Authorization: Bearer <base64(token)>", "" when there is none or more than one.
func webhookToken(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, encoded, _ := strings.Cut(values[0], " ")
	token, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(encoded), "="))
	if err != nil || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return string(token)
}

// NewWebhookTestRequest builds the request the panel sends for e: POST, the headers it documents, and the first of o.Tokens. The body is e.Body, or is made
// from the other fields when that is nil. It can be sent with an http.Client, or given to the handler directly; then set RemoteAddr when AllowFrom is used.
func NewWebhookTestRequest(ctx context.Context, target string, o WebhookOptions, e WebhookEvent) (*http.Request, error) {
	if _, err := newWebhookVerifier(o); err != nil {
		return nil, err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, provisioning.InvalidField("event", "cannot be written as JSON")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, provisioning.InvalidField("target", "is not a URL")
	}
	for name, value := range map[string]string{
		"Authorization":             "Bearer " + base64.StdEncoding.EncodeToString([]byte(o.Tokens[0].Reveal())),
		"Content-Type":              "application/json",
		"Accept":                    "application/json",
		"User-Agent":                "VirtFusion-Hookshot/57HE28D3RT",
		"X-VirtFusion-Hook":         strconv.FormatInt(int64(e.HookID), 10),
		"X-VirtFusion-Hook-Event":   strconv.FormatInt(int64(e.HookEventID), 10),
		"X-VirtFusion-Created":      e.Created.UTC().Format(webhookTimeLayout),
		"X-VirtFusion-Event":        string(e.Event),
		"X-VirtFusion-Event-Status": string(e.Status),
	} {
		r.Header.Set(name, value)
	}
	return r, nil
}
