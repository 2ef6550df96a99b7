package solusvm2test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/internal/fakeserver"
)

// prefix is where the API of a panel starts.
const prefix = "/api/v1"

// obj is a JSON object of an answer.
type obj = map[string]any

// access says whose tokens an operation takes.
type access int

const (
	admins   access = iota // 403 for everybody else
	everyone               // the operation itself looks at what belongs to whom
	public                 // no token
)

// operation is one route of the panel.
type operation struct {
	id    string // as in the API description
	route string // method and path below the prefix
	who   access
	do    func(*call) answer
}

// operations lists what the panel can do. A new resource adds its table here. Event handlers are missing: no path of the panel's API for them is known.
func operations() []operation {
	return slices.Concat(
		authOperations(), userOperations(), roleOperations(), projectOperations(), keyOperations(), planOperations(), locationOperations(), imageOperations(),
		applicationOperations(), nodeOperations(), storageOperations(), blockOperations(), serverOperations(), createOperations(), powerOperations(),
		installOperations(),
		serverAddressOperations(), taskOperations(), snapshotOperations(), backupOperations(), usageOperations(), migrationOperations(), logOperations(),
		settingsOperations(),
	)
}

func (p *Panel) routes() {
	for _, op := range operations() {
		method, path, _ := strings.Cut(op.route, " ")
		p.server.Handle(op.id, method+" "+prefix+path, p.serve(op))
	}
	p.server.Fallback(noRoute)
}

// page of the browser application, which the web server answers for every path that it does not know.
const spa = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>SolusVM</title></head>\n" +
	"<body><div id=\"app\"></div><script src=\"/js/app.js\"></script></body>\n</html>\n"

// noRoute answers an unknown path with the browser application and status 200, and a known path with another method as the framework does (guess).
func noRoute(w http.ResponseWriter, r *http.Request, allowed []string) {
	w.Header().Set("Server", "nginx")
	if len(allowed) > 0 {
		list := strings.Join(allowed, ", ")
		w.Header().Set("Allow", list)
		message := fmt.Sprintf("The %s method is not supported for this route. Supported methods: %s.", r.Method, list)
		fakeserver.WriteJSON(w, http.StatusMethodNotAllowed, obj{"message": message})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = io.WriteString(w, spa)
}

// serve runs one operation with the panel locked. It only computes: fakeserver does the waiting and writing.
func (p *Panel) serve(op operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := view(p, func(c *call) answer {
			c.r = r
			return c.run(op)
		})
		w.Header().Set("Server", "nginx")
		if a.body == nil {
			w.WriteHeader(a.status)
			return
		}
		fakeserver.WriteJSON(w, a.status, a.body)
	}
}

// call is one look at the panel, mostly a request to one operation. Handlers are its methods; they check everything before they change the state.
type call struct {
	*state
	panel *Panel
	now   time.Time
	r     *http.Request
	user  *user // the owner of the token

	inProjects map[int64]int // how many servers each project has, counted once
}

// run checks the token and what it may do, and carries the operation out.
func (c *call) run(op operation) answer {
	if op.who != public {
		if a, known := c.authenticate(); !known {
			return a
		}
	}
	if c.Forbidden[op.id] || op.who == admins && !c.isAdmin() {
		return unauthorized()
	}
	return op.do(c)
}

// Forbid takes operations from all tokens: they answer 403.
func (p *Panel) Forbid(ops ...string) {
	p.look(func(c *call) {
		for _, op := range ops {
			c.Forbidden[op] = true
		}
	})
}

// answer is what an operation answers: JSON, or only a status.
type answer struct {
	status int
	body   any
}

func ok(v any) answer { return answer{status: http.StatusOK, body: obj{"data": v}} }

func made(v any) answer { return answer{status: http.StatusCreated, body: obj{"data": v}} }

func noContent() answer { return answer{status: http.StatusNoContent} }

// refuse is the error envelope.
func refuse(status int, message string) answer {
	return answer{status: status, body: obj{"message": message}}
}

// unauthorized is the answer to somebody who is known and may not.
func unauthorized() answer { return refuse(http.StatusForbidden, "This action is unauthorized.") }

// missing is the 404 of a record. The framework's own wording is taken (guess).
func missing(model string, id any) answer {
	return refuse(http.StatusNotFound, fmt.Sprintf(`No query results for model [App\Models\%s] %v`, model, id))
}

// conflict refuses what the state of a record does not allow. That the status is 409 is documented for records that are busy; elsewhere it is a guess, and so
// are all texts.
func conflict(message string) answer { return refuse(http.StatusConflict, message) }

// invalid is the answer to a request that fails validation.
func (f *form) invalid() answer {
	return answer{status: http.StatusUnprocessableEntity, body: obj{"message": "The given data was invalid.", "errors": f.errors}}
}

// find returns the record that the path names, nil when there is none.
func find[T any](c *call, table map[int64]*T) *T {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil {
		return nil
	}
	return table[id]
}

// lost is the 404 of the record that the path names.
func (c *call) lost(model string) answer { return missing(model, c.r.PathValue("id")) }

// filter reads filter[name] of the query. Filters that are not known are ignored (guess).
func (c *call) filter(name string) string { return c.r.URL.Query().Get("filter[" + name + "]") }

// matches reports whether an exact filter lets a value through.
func (c *call) matches(name, value string) bool {
	want := c.filter(name)
	return want == "" || want == value
}

func (c *call) matchesID(name string, id int64) bool { return c.matches(name, itoa(id)) }

// found reports whether the search lets one of the texts through: a substring, in any case.
func (c *call) found(texts ...string) bool {
	want := strings.ToLower(c.filter("search"))
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), want) })
}

// time renders a time, null when there is none.
func (c *call) time(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case c.panel.old:
		return t.UTC().Format("2006-01-02 15:04:05")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// ref is how answers name another record.
func ref(id int64, name string) obj { return obj{"id": id, "name": name} }

// nullable renders text that may be missing.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
