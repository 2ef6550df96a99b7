package solusvm2

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/internal/webhook"
	"github.com/hvpanels/hvpanels/provisioning"
)

// DefaultSecretParam is the name the vendor's manual uses for the user-defined parameter that carries the secret.
const DefaultSecretParam = "secret"

const (
	maxEventParams = 1000
	redacted       = "redacted"
)

// EventOptions says whose notifications are accepted. Only Secrets is required; AllowFrom is strongly advised, because the panel does not check certificates and
// anybody on the path of a call can read its secret.
type EventOptions struct {
	// Secrets are all accepted, so that the panel's event handlers can be changed to a new one at leisure. The first one is what NewEventSetup hands out.
	// Each has 16 to 512 printable ASCII characters without spaces; 32 random ones are a good choice. None at all is an error.
	Secrets []provisioning.Secret
	// SecretParam is the name of the user-defined parameter that carries the secret, DefaultSecretParam when empty. When it comes more than once, the first
	// one counts.
	SecretParam string
	// AllowFrom lists the addresses of the management node. Empty means every source. IPv4-mapped IPv6 addresses count as IPv4.
	AllowFrom []netip.Prefix
	// TrustedProxies lists the reverse proxies whose X-Forwarded-For header is believed. From anybody else the header is ignored; no other forwarding header
	// is ever read. A proxy that connects over a Unix socket has no address and cannot be named here.
	TrustedProxies []netip.Prefix
	// MaxURLBytes limits path and query, 64 KiB when 0. A proxy in front may allow less: nginx takes 8 KiB by default.
	MaxURLBytes int
	// MaxHeaderBytes limits each header value, 8 KiB when 0.
	MaxHeaderBytes int
	// MaxBodyBytes limits the announced length of the body, 1 MiB when 0. The body itself is never read: the panel puts everything into the URL.
	MaxBodyBytes int
	// StoreTimeout ends the context of the store function, 10 s when 0. How long the panel waits for an answer is not documented.
	StoreTimeout time.Duration
	// Logger gets refused calls as warnings, failures to store as errors (with the text of the store function's error) and accepted ones at debug level.
	// It never gets a query, a secret or a header. Nil is silent.
	Logger *slog.Logger
}

// LogValue logs all of it, with its secrets masked.
func (o EventOptions) LogValue() slog.Value { return provisioning.Masked(o) }

func (o EventOptions) secretParam() string {
	if o.SecretParam == "" {
		return DefaultSecretParam
	}
	return o.SecretParam
}

// eventVerifier keeps the secrets only inside of match, where printing it does not reach them.
type eventVerifier struct {
	receiver    *webhook.Receiver
	match       func(string) bool
	secretParam string
}

func newEventVerifier(o EventOptions) (*eventVerifier, error) {
	match, err := webhook.NewMatcher("Secrets", o.Secrets)
	if err != nil {
		return nil, err
	}
	if err := checkParamName("SecretParam", o.secretParam()); err != nil {
		return nil, err
	}
	receiver, err := webhook.New("solusvm2", webhook.Options{
		AllowFrom: o.AllowFrom, TrustedProxies: o.TrustedProxies,
		MaxURLBytes: o.MaxURLBytes, MaxHeaderBytes: o.MaxHeaderBytes, MaxBodyBytes: o.MaxBodyBytes,
		StoreTimeout: o.StoreTimeout, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &eventVerifier{receiver: receiver, match: match, secretParam: o.secretParam()}, nil
}

// NewEventHandler receives the notifications of the panel's event handlers (webhooks). It calls store for each authentic one and answers what the panel
// makes its task of: 2xx lets the task succeed, 4xx and 5xx end it as "Failed", visible to the administrator.
//
//	204  store returned nil, and only then
//	400  the query cannot be decoded, or has more than 1000 parameters
//	401  the secret is missing or wrong
//	403  the source address is not allowed
//	405  another method than POST
//	413, 414, 431  body, URL or a header value is too large
//	503  store returned an error, panicked, or was not called because the request had ended
//
// The checks run in this order: method, source, sizes, secret; only then is the query decoded. Answers have no body.
//
// store must return quickly, and nil only when the event cannot be lost any more: insert it into a table or queue, and do the work elsewhere. The panel is
// not known to repeat a failed notification, so also compare servers with the panel now and then. It may run concurrently with itself, must obey its context,
// and must tolerate the same event twice.
//
// Errors of NewEventHandler are of Kind Invalid and name the option.
func NewEventHandler(o EventOptions, store func(context.Context, Event) error) (http.Handler, error) {
	v, err := newEventVerifier(o)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return nil, provisioning.InvalidField("store", "is required")
	}
	return webhook.Handler(v.receiver, v.verify, store), nil
}

// VerifyEvent checks one request as NewEventHandler does, and decodes it, for programs that answer by themselves. An error is a *provisioning.Error whose
// Status is the status to answer with; errors in o itself have Status 0.
func VerifyEvent(r *http.Request, o EventOptions) (Event, error) {
	v, err := newEventVerifier(o)
	if err != nil {
		return Event{}, err
	}
	return v.verify(r)
}

func (v *eventVerifier) verify(r *http.Request) (Event, error) {
	if err := v.receiver.Check(r); err != nil {
		return Event{}, err
	}
	given := findSecret(r.URL.RawQuery, v.secretParam)
	if !v.match(given) {
		return Event{}, v.receiver.Refuse(http.StatusUnauthorized, "the secret is missing or wrong")
	}
	values, masked, problem := decodeQuery(r.URL.RawQuery, v.secretParam, given)
	if problem != "" {
		return Event{}, v.receiver.Refuse(http.StatusBadRequest, problem)
	}
	return parseEvent(values, v.secretParam, masked), nil
}

// findSecret returns the first value of the secret's parameter, "" when there is none. It looks at nothing else.
func findSecret(rawQuery, secretParam string) string {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err != nil || decoded != secretParam {
			continue
		}
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			return ""
		}
		return decoded
	}
	return ""
}

// decodeQuery decodes the query, and masks the secret in what it returns: the values of the secret's parameter, and whatever else contains the secret that
// was given. A semicolon is an ordinary character here. problem says what is wrong, "" when nothing is.
func decodeQuery(rawQuery, secretParam, given string) (values url.Values, masked, problem string) {
	if strings.Count(rawQuery, "&") >= maxEventParams {
		return nil, "", "the query has more than 1000 parameters"
	}
	values = url.Values{}
	var pairs []string
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if nameErr != nil || valueErr != nil {
			return nil, "", "the query is not well escaped"
		}
		shownName, shownValue := name, value
		if isSecretParam(name, secretParam) || strings.Contains(value, given) {
			shownValue = redacted
		}
		if strings.Contains(shownName+"="+shownValue, given) {
			shownName, shownValue = redacted, redacted
		}
		if shownName != name || shownValue != value {
			pair = url.QueryEscape(shownName) + "=" + shownValue
		}
		values[shownName] = append(values[shownName], shownValue)
		pairs = append(pairs, pair)
	}
	return values, strings.Join(pairs, "&"), ""
}

// isSecretParam also takes name[], name[0] and another letter case for the secret's parameter: not to accept them, but to keep them out of events.
func isSecretParam(name, secretParam string) bool {
	base, _, _ := strings.Cut(name, "[")
	return strings.EqualFold(base, secretParam)
}
