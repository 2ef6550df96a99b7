package rest

import (
	"net/http"
	"time"
)

// Class says what a repetition of an operation would do, and so what may be done about an unclear answer. Each operation declares its class once, next to its
// path.
type Class uint8

// The classes.
const (
	Read Class = iota // changes nothing
	Set               // repeating gives the same end state
	Once              // repeating may do it twice
)

// Verdict is what an operation says about a status it declares as its own.
type Verdict uint8

// The verdicts.
const (
	Foreign Verdict = iota // not declared: the retry table decides
	Result                 // an answer like any 2xx: decode it
	Refusal                // the panel's own refusal: an error, not retried, no doubt about the write
)

// Call is one API call. It is used once.
type Call struct {
	Op     string // operation id, for errors, logs and fault rules: "getServer"
	Class  Class
	Method string
	// Path holds the elements below the API prefix; each is escaped here and nowhere else. An element that is empty, "." or ".." is refused.
	Path []any
	// Query is nil, url.Values or a struct with url tags (go-querystring).
	Query any
	In    any // JSON body, nil for none
	Out   any // where the answer is decoded to; nil when nothing is needed from it
	// Optional allows an empty answer where Out is set.
	Optional bool
	// Check runs after decoding; its error means that the answer is not the panel's answer to this call.
	Check func() error
	// Since is the first version of the panel that has this operation, where older ones are in use: a 404 or 405 in which the panel does not speak of a record
	// then says so.
	Since string
	// Declared says which statuses beyond 2xx this operation has as its own.
	Declared func(status int, body []byte) Verdict
}

// CallOption changes one call.
type CallOption func(*callOptions)

type callOptions struct {
	capture        *ResponseInfo
	repeatable     bool
	attemptTimeout time.Duration
	notAfter       time.Time
}

// ResponseInfo receives the last answer of a call. Its Body and Header are the panel's own and may hold secrets.
type ResponseInfo struct {
	Status   int
	Header   http.Header
	Body     []byte
	Attempts int
}

// CaptureResponse stores the last answer of the call in r, also when the call fails.
func CaptureResponse(r *ResponseInfo) CallOption { return func(o *callOptions) { o.capture = r } }

// Repeatable declares that repeating this write gives the same end state, so that it is retried as a Set.
func Repeatable() CallOption { return func(o *callOptions) { o.repeatable = true } }

// AttemptTimeout replaces the limit of one attempt. 0 and less leave the client's.
func AttemptTimeout(d time.Duration) CallOption { return func(o *callOptions) { o.attemptTimeout = d } }

// NotAfter forbids to start an attempt after t, or to begin to write its body. A call that comes too late fails as not sent.
func NotAfter(t time.Time) CallOption { return func(o *callOptions) { o.notAfter = t } }
