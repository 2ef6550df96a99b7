package provisioning

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Kind is the class of a failure, the same for every panel. A Kind is itself an error, so that callers write
// errors.Is(err, provisioning.NotFound).
type Kind string

// The kinds. Unknown refusals are Unexpected; the set may grow.
const (
	Invalid      Kind = "invalid"      // refused before sending, or by the panel's validation (400, 422)
	Unauthorized Kind = "unauthorized" // credentials missing, wrong or expired (401)
	Forbidden    Kind = "forbidden"    // credentials lack this permission (403)
	NotFound     Kind = "not_found"    // the panel itself says that the record does not exist
	NoRoute      Kind = "no_route"     // the address answers, but not as this operation: wrong path, another program, an older panel. Never read it as "gone"
	Conflict     Kind = "conflict"     // contradicts the present state (409), a duplicate, several candidates
	Locked       Kind = "locked"       // other tasks of the server are pending or failed, or it is protected (423)
	Capacity     Kind = "capacity"     // no room or no free address
	Maintenance  Kind = "maintenance"  // the hypervisor is in maintenance
	RateLimited  Kind = "rate_limited" // 429, or a Retry-After beyond what the caller allows
	Unavailable  Kind = "unavailable"  // no usable answer: network, timeout of one attempt, 5xx
	Mismatch     Kind = "mismatch"     // the answer belongs to another object than the one asked for
	Unsupported  Kind = "unsupported"  // the panel kind cannot do this
	Unexpected   Kind = "unexpected"   // an answer outside of what is documented
)

// Error makes Kind usable as the target of errors.Is.
func (k Kind) Error() string { return strings.ReplaceAll(string(k), "_", " ") }

var (
	// ErrMaybeApplied marks a write whose fate is unknown: it may have been carried out. Look before doing it again.
	ErrMaybeApplied = errors.New("may have been applied")
	// ErrTaskFailed marks an operation that the panel accepted and then reported as failed.
	ErrTaskFailed = errors.New("task failed")
	// ErrStillRunning marks a wait that ended before the operation did. It says nothing about how the operation will end.
	ErrStillRunning = errors.New("not finished as of the last look")
)

// Error is the one error struct of all panels. Use errors.Is with a Kind or ErrMaybeApplied, or errors.As for the details. It holds no
// header, no query and no body, and so no secret.
type Error struct {
	Panel    string // "virtfusion", "solusvm2", "ospab"; empty for errors of this package
	Op       string // operation, as in the panel's API description: "createServer"
	Method   string
	Path     string // path below the base URL, without query
	Status   int    // HTTP status of the last answer, 0 when there was none
	Attempts int    // how many times a request was started
	Kind     Kind
	Message  string // the panel's own words where it gave any, shortened
	// Fields holds messages by input field, from this module's checks or the panel's validation.
	Fields    map[string][]string
	RequestID string
	// RetryAfter is how long the panel asked to wait, 0 when it did not.
	RetryAfter time.Duration
	// MaybeApplied is set when a write was sent and its fate is unknown. Once set for a call, only success clears it.
	MaybeApplied bool
	Err          error // what lies below: context.Canceled, *net.OpError, *json.SyntaxError
}

// Error prints one line: panel, operation, what happened, and whether the write may have been applied. Line breaks and control characters in a panel's
// words become spaces.
func (e *Error) Error() string {
	var b strings.Builder
	for _, s := range []string{e.Panel, e.Op} {
		if s != "" {
			b.WriteString(s + ": ")
		}
	}
	b.WriteString(e.Kind.Error())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	for _, field := range sortedKeys(e.Fields) {
		fmt.Fprintf(&b, "; %s: %s", field, strings.Join(e.Fields[field], ", "))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %v", e.RetryAfter)
	}
	if e.MaybeApplied {
		b.WriteString("; it " + ErrMaybeApplied.Error())
	}
	return oneLine(b.String())
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, s)
}

// Is matches a Kind and ErrMaybeApplied.
func (e *Error) Is(target error) bool {
	if k, ok := target.(Kind); ok {
		return e.Kind == k
	}
	return target == ErrMaybeApplied && e.MaybeApplied
}

// Unwrap returns the error below.
func (e *Error) Unwrap() error { return e.Err }

// LogValue logs the parts as attributes.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("kind", string(e.Kind))}
	for _, a := range []struct{ key, value string }{
		{"panel", e.Panel}, {"op", e.Op}, {"method", e.Method}, {"path", e.Path}, {"message", e.Message}, {"request_id", e.RequestID},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	if e.Attempts != 0 {
		attrs = append(attrs, slog.Int("attempts", e.Attempts))
	}
	if len(e.Fields) != 0 {
		fields := make([]any, 0, len(e.Fields))
		for _, field := range sortedKeys(e.Fields) {
			fields = append(fields, slog.String(field, strings.Join(e.Fields[field], ", ")))
		}
		attrs = append(attrs, slog.Group("fields", fields...))
	}
	if e.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
	}
	if e.MaybeApplied {
		attrs = append(attrs, slog.Bool("maybe_applied", true))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("cause", e.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}

// InvalidField is the error for bad input, found before anything was sent: Kind Invalid, naming the field.
func InvalidField(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Fields: map[string][]string{field: {fmt.Sprintf(format, args...)}}}
}

// OrderBeforeError says that another order of the same owner has to be resolved first, and why that failed. Nothing was asked for the order that waits for it.
type OrderBeforeError struct {
	Key string // of the other order
	Err error
}

// Error names the other order.
func (e *OrderBeforeError) Error() string {
	return fmt.Sprintf("order %s of the same owner is not resolved: %v", e.Key, e.Err)
}

// Unwrap is the reason.
func (e *OrderBeforeError) Unwrap() error { return e.Err }

// ConflictError says that several servers could be the one a key stands for. A person has to decide; nothing was created or changed.
type ConflictError struct {
	Key        string
	Candidates []ID
}

// Error names the key and the candidates.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict: %d servers could be the one of key %q: %v", len(e.Candidates), e.Key, e.Candidates)
}

// Is matches Conflict.
func (e *ConflictError) Is(target error) bool { return target == Conflict }

// transient reports failures that say nothing about the object asked for: the next look may well succeed.
func transient(err error) bool {
	for _, k := range []Kind{Unavailable, RateLimited, Maintenance, Unexpected} {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
