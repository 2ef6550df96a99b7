package virtfusiontest

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hvpanels/hvpanels/internal/fakeserver"
)

// prefix is where the API of a panel starts.
const prefix = "/api/v1"

// obj is a JSON object of an answer.
type obj = map[string]any

// operation is one route of the panel.
type operation struct {
	id    string // as in the API description
	route string // method and path below the prefix
	since string // first version that has it; "" for all
	do    func(*call) answer
}

// operations lists what the panel can do. A new resource adds its table here.
func operations() []operation {
	return slices.Concat(
		generalOperations(), hypervisorOperations(), packageOperations(), templateOperations(), serverOperations(), buildOperations(), powerOperations(),
		queueOperations(), vncOperations(), trafficOperations(), backupOperations(), keyOperations(), userOperations(),
		networkingOperations(), managingOperations(),
	)
}

// routes registers the operations of this version.
func (p *Panel) routes() {
	for _, op := range operations() {
		if op.since <= p.version {
			method, path, _ := strings.Cut(op.route, " ")
			p.server.Handle(op.id, method+" "+prefix+path, p.serve(op))
		}
	}
	p.server.Fallback(noRoute)
}

// noRoute answers as the web server and the framework do for a path they do not know: never with the panel's own "msg".
func noRoute(w http.ResponseWriter, r *http.Request, allowed []string) {
	if len(allowed) > 0 {
		list := strings.Join(allowed, ", ")
		w.Header().Set("Allow", list)
		path := strings.TrimPrefix(r.URL.Path, "/")
		message := fmt.Sprintf("The %s method is not supported for route %s. Supported methods: %s.", r.Method, path, list)
		fakeserver.WriteJSON(w, http.StatusMethodNotAllowed, obj{"message": message})
		return
	}
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, fakeserver.HTMLPage(http.StatusNotFound))
}

// serve runs one operation with the panel locked. It only computes: fakeserver does the waiting and writing.
func (p *Panel) serve(op operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		w.Header().Set("Server", "nginx")
		c := &call{state: p.state, panel: p, now: clock(), r: r}
		c.settle(c.now)
		a := c.run(op)
		p.dispatch()
		fakeserver.Delay(w, a.delay)
		switch {
		case a.text != "":
			w.Header().Set("Content-Type", "application/octet-stream")
			w.WriteHeader(a.status)
			_, _ = io.WriteString(w, a.text)
		case a.body == nil:
			w.WriteHeader(a.status)
		default:
			fakeserver.WriteJSON(w, a.status, a.body)
		}
	}
}

// call is one request to one operation. Handlers are its methods; they check everything before they change the state.
type call struct {
	*state
	panel *Panel
	now   time.Time
	r     *http.Request
}

// run checks the token, then its permission, and carries the operation out.
func (c *call) run(op operation) answer {
	if c.r.Header.Get("Authorization") != "Bearer "+c.Token {
		if c.panel.version >= V71 {
			return answer{status: http.StatusUnauthorized}
		}
		return answer{status: http.StatusUnauthorized, text: "401 Unauthorized"}
	}
	if c.Forbidden[op.id] {
		return refuse(http.StatusForbidden, "token does not have permission") // wording: guess
	}
	return op.do(c)
}

// answer is what an operation answers: JSON, text, or only a status.
type answer struct {
	status int
	body   any
	text   string
	delay  time.Duration
}

func data(status int, v any) answer { return answer{status: status, body: obj{"data": v}} }

func ok(v any) answer { return data(http.StatusOK, v) }

func empty(status int) answer { return answer{status: status} }

// refuse is the error envelope of the older operations.
func refuse(status int, msg string) answer { return answer{status: status, body: obj{"msg": msg}} }

// missing is the 404 of a record. Only its text for servers and external relations is documented.
func missing(what string) answer { return refuse(http.StatusNotFound, what+" not found") }

// invalid is the error envelope of validation and capacity.
func invalid(errors ...string) answer {
	return answer{status: http.StatusUnprocessableEntity, body: obj{"errors": errors}}
}

// id reads a numeric path parameter, 0 when it is none, which no record has.
func (c *call) id(name string) int64 {
	id, err := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// flag reads a switch of the query: the words true and false, or 1.
func (c *call) flag(name string) bool {
	v := c.r.URL.Query().Get(name)
	return v == "true" || v == "1"
}

// form is the JSON body of a request with what is wrong with it, checked the way the framework does: numbers may be text, null is absent, unknown members are ignored.
type form struct {
	in     map[string]any
	errors []string
}

func (c *call) form() *form {
	f := &form{in: map[string]any{}}
	d := json.NewDecoder(c.r.Body)
	d.UseNumber()
	if d.Decode(&f.in) != nil || f.in == nil {
		f.in = map[string]any{} // a body that is not an object is an empty one to the framework
	}
	return f
}

func (f *form) has(name string) bool { return f.in[name] != nil }

func (f *form) fail(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

// words turns packageId into "package id", as the framework's messages do.
func words(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// require demands members.
func (f *form) require(names ...string) {
	for _, name := range names {
		if v := f.in[name]; v == nil || v == "" {
			f.fail("The %s field is required.", words(name))
		}
	}
}

// int reads a whole number between low and high, def when absent.
func (f *form) int(name string, def, low, high int64) int64 {
	if !f.has(name) {
		return def
	}
	n, err := strconv.ParseInt(fmt.Sprint(f.in[name]), 10, 64)
	switch {
	case err != nil:
		f.fail("The %s field must be an integer.", words(name))
	case n < low:
		f.fail("The %s field must be at least %d.", words(name), low)
	case n > high:
		f.fail("The %s field must not be greater than %d.", words(name), high)
	}
	return n
}

// count reads a number that cannot be negative.
func (f *form) count(name string, def int64) int64 { return f.int(name, def, 0, math.MaxInt32) }

func (f *form) text(name, def string, limit int) string {
	if !f.has(name) {
		return def
	}
	s, isText := f.in[name].(string)
	switch {
	case !isText:
		f.fail("The %s field must be a string.", words(name))
	case len([]rune(s)) > limit:
		f.fail("The %s field must not be greater than %d characters.", words(name), limit)
	}
	return s
}

func (f *form) bool(name string, def bool) bool {
	if !f.has(name) {
		return def
	}
	switch fmt.Sprint(f.in[name]) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	f.fail("The %s field must be true or false.", words(name))
	return def
}

func (f *form) ints(name string) []int64 {
	if !f.has(name) {
		return nil
	}
	list, isList := f.in[name].([]any)
	if !isList {
		f.fail("The %s field must be an array.", words(name))
		return nil
	}
	var ids []int64
	for i, v := range list {
		n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if err != nil {
			f.fail("The %s.%d field must be an integer.", name, i)
		}
		ids = append(ids, n)
	}
	return ids
}

// offset, micros and naive are the three time formats of the panel.
func offset(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }
func micros(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
func naive(t time.Time) string  { return t.UTC().Format("2006-01-02 15:04:05") }

// nullable renders a time that may be missing.
func nullable(t time.Time, format func(time.Time) string) any {
	if t.IsZero() {
		return nil
	}
	return format(t)
}
