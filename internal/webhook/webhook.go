// Package webhook is what the receivers of all panels share: who may call, how large a call may be, how secrets are compared, and what is answered.
// What a notification says is the business of the panel packages.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Defaults of Options.
const (
	DefaultMaxURLBytes    = 64 << 10
	DefaultMaxHeaderBytes = 8 << 10
	DefaultMaxBodyBytes   = 1 << 20
	DefaultStoreTimeout   = 10 * time.Second
)

// Options are the settings both receivers have. Zero values mean the defaults.
type Options struct {
	AllowFrom      []netip.Prefix // empty: every source
	TrustedProxies []netip.Prefix
	MaxURLBytes    int
	MaxHeaderBytes int // of one header value
	MaxBodyBytes   int
	StoreTimeout   time.Duration
	Logger         *slog.Logger
}

// Receiver checks calls and answers them.
type Receiver struct {
	panel        string
	sources      sources
	maxURL       int
	maxHeader    int
	maxBody      int
	storeTimeout time.Duration
	log          *slog.Logger
}

// New checks the options. panel is the first word of every error and log record.
func New(panel string, o Options) (*Receiver, error) {
	s, err := newSources(o.AllowFrom, o.TrustedProxies)
	if err != nil {
		return nil, err
	}
	for _, limit := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxURLBytes", &o.MaxURLBytes, DefaultMaxURLBytes},
		{"MaxHeaderBytes", &o.MaxHeaderBytes, DefaultMaxHeaderBytes},
		{"MaxBodyBytes", &o.MaxBodyBytes, DefaultMaxBodyBytes},
	} {
		if *limit.value < 0 {
			return nil, provisioning.InvalidField(limit.name, "must not be negative; 0 means %d", limit.def)
		}
		if *limit.value == 0 {
			*limit.value = limit.def
		}
	}
	if o.StoreTimeout < 0 {
		return nil, provisioning.InvalidField("StoreTimeout", "must not be negative; 0 means %v", DefaultStoreTimeout)
	}
	if o.StoreTimeout == 0 {
		o.StoreTimeout = DefaultStoreTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Receiver{
		panel: panel, sources: s, maxURL: o.MaxURLBytes, maxHeader: o.MaxHeaderBytes, maxBody: o.MaxBodyBytes,
		storeTimeout: o.StoreTimeout, log: o.Logger,
	}, nil
}

// Refuse is the error for a call that is answered with status. The message must hold nothing of the call.
func (rc *Receiver) Refuse(status int, message string) error {
	kind := provisioning.Invalid
	switch status {
	case http.StatusUnauthorized:
		kind = provisioning.Unauthorized
	case http.StatusForbidden:
		kind = provisioning.Forbidden
	}
	return &provisioning.Error{Panel: rc.panel, Op: "webhook", Kind: kind, Status: status, Message: message}
}

// Check is everything that can be said before the caller's secret is looked at: method (405), source (403), sizes (414, 431, 413).
func (rc *Receiver) Check(r *http.Request) error {
	if r.Method != http.MethodPost {
		return rc.Refuse(http.StatusMethodNotAllowed, "the panel sends POST only")
	}
	if source, ok := rc.sources.of(r); !rc.sources.allowed(source, ok) {
		return rc.Refuse(http.StatusForbidden, "the source address is not allowed")
	}
	if r.URL == nil || len(r.URL.EscapedPath())+len("?")+len(r.URL.RawQuery) > rc.maxURL {
		return rc.Refuse(http.StatusRequestURITooLong, fmt.Sprintf("the URL is longer than %d bytes", rc.maxURL))
	}
	for _, values := range r.Header {
		for _, v := range values {
			if len(v) > rc.maxHeader {
				return rc.Refuse(http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("a header value is longer than %d bytes", rc.maxHeader))
			}
		}
	}
	if r.ContentLength > int64(rc.maxBody) {
		return rc.tooLarge()
	}
	return nil
}

func (rc *Receiver) tooLarge() error {
	return rc.Refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", rc.maxBody))
}

// Body reads the body up to the cap. Call it only for callers that proved who they are.
func (rc *Receiver) Body(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(rc.maxBody)+1))
	if len(body) > rc.maxBody {
		return nil, rc.tooLarge()
	}
	if err != nil {
		return nil, rc.Refuse(http.StatusBadRequest, "the body could not be read")
	}
	return body, nil
}

// Handler answers calls: what verify refuses with the status of its error, what store refuses with 503, and 204 only after store returned nil.
// Answers have no body.
func Handler[E any](rc *Receiver, verify func(*http.Request) (E, error), store func(context.Context, E) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, err := verify(r)
		if err == nil {
			err = rc.store(r.Context(), func(ctx context.Context) error { return store(ctx, event) })
		}
		rc.answer(w, r, err)
	})
}

// store runs f under the time limit. A panic of f is an error like any other: the notification is not known to be stored.
func (rc *Receiver) store(ctx context.Context, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, rc.storeTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			rc.log.ErrorContext(ctx, "storing a webhook panicked", "panel", rc.panel, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = rc.notStored(errors.New("panic in the store function"))
		}
	}()
	if err := ctx.Err(); err != nil {
		return rc.notStored(err)
	}
	if err := f(ctx); err != nil {
		return rc.notStored(err)
	}
	return nil
}

func (rc *Receiver) notStored(err error) error {
	return &provisioning.Error{
		Panel: rc.panel, Op: "webhook", Kind: provisioning.Unavailable, Status: http.StatusServiceUnavailable, Message: "the notification was not stored", Err: err,
	}
}

func (rc *Receiver) answer(w http.ResponseWriter, r *http.Request, err error) {
	status, level, message := http.StatusNoContent, slog.LevelDebug, "webhook stored"
	var refused *provisioning.Error
	if err != nil {
		status, level, message = http.StatusInternalServerError, slog.LevelWarn, "webhook refused"
		if errors.As(err, &refused) {
			status = refused.Status
		}
	}
	if status >= http.StatusInternalServerError {
		level, message = slog.LevelError, "webhook not stored"
	}
	if rc.log.Enabled(r.Context(), level) {
		attrs := []slog.Attr{slog.String("panel", rc.panel), slog.Int("status", status)}
		if source, ok := rc.sources.of(r); ok {
			attrs = append(attrs, slog.String("source", source.String()))
		}
		if refused != nil {
			attrs = append(attrs, slog.String("reason", refused.Message))
			if refused.Err != nil {
				attrs = append(attrs, slog.String("cause", refused.Err.Error()))
			}
		}
		rc.log.LogAttrs(r.Context(), level, message, attrs...)
	}
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(status)
}
