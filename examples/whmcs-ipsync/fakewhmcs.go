package main

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hvpanels/hvpanels/provisioning"
)

// fakeWHMCS is WHMCS's API as far as this program uses it: an http.Handler with services in memory. It is built from the public API reference; the texts of
// refusals were seen by other clients.
type fakeWHMCS struct {
	credentials whmcsCredentials
	// interrupt, when set, sees each call before it is carried out, and answers it itself when it returns true.
	interrupt func(w http.ResponseWriter, action string) bool

	mu       sync.Mutex
	services map[serviceID]*fakeService
	calls    []string // actions that were carried out
}

// fakeService is a row of the services, with the fields that can be set and cleared here.
type fakeService struct {
	Status string
	Fields map[string]string // dedicatedip, assignedips and others
}

func newFakeWHMCS(c whmcsCredentials) *fakeWHMCS {
	return &fakeWHMCS{credentials: c, services: map[serviceID]*fakeService{}}
}

// add makes a service.
func (f *fakeWHMCS) add(id serviceID, status, dedicatedIP, assignedIPs string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.services[id] = &fakeService{Status: status, Fields: map[string]string{
		"dedicatedip": dedicatedIP, "assignedips": assignedIPs, "domain": fmt.Sprintf("vps-%d.example.com", id), "notes": "",
	}}
}

// field returns one field of a service.
func (f *fakeWHMCS) field(id serviceID, name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.services[id].Fields[name]
}

// count says how often an action was carried out.
func (f *fakeWHMCS) count(action string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.calls {
		if a == action {
			n++
		}
	}
	return n
}

// ServeHTTP answers one call. The parameters are taken from the body only, so that a client that puts secrets into URLs fails here, although the real API would
// take them.
func (f *fakeWHMCS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); r.Method != http.MethodPost || err != nil || !strings.HasSuffix(r.URL.Path, whmcsAPIPath) {
		http.Error(w, "<html>Page not found</html>", http.StatusNotFound)
		return
	}
	form := r.PostForm
	if f.interrupt != nil && f.interrupt(w, form.Get("action")) {
		return
	}
	status, answer := f.answer(form)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *fakeWHMCS) answer(form url.Values) (int, any) {
	equal := func(name string, want provisioning.Secret) bool {
		return subtle.ConstantTimeCompare([]byte(form.Get(name)), []byte(want.Reveal())) == 1
	}
	switch {
	case form.Get("responsetype") != "json":
		return http.StatusOK, "result=error;message=this simulation answers JSON only"
	case !equal("identifier", f.credentials.Identifier):
		return http.StatusForbidden, refusal("Invalid or missing credentials")
	case !equal("secret", f.credentials.Secret), !equal("accesskey", f.credentials.AccessKey):
		return http.StatusForbidden, refusal("Authentication Failed")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	action := form.Get("action")
	f.calls = append(f.calls, action)
	switch action {
	case actionGetService:
		return http.StatusOK, f.list(form)
	case actionSetService:
		return http.StatusOK, f.update(form)
	}
	return http.StatusForbidden, refusal(fmt.Sprintf("Invalid Permissions: API action %q is not allowed", strings.ToLower(action)))
}

func refusal(message string) any { return map[string]string{"result": "error", "message": message} }

// list writes ids and numbers as text, as WHMCS does, and no list at all when nothing was found.
func (f *fakeWHMCS) list(form url.Values) any {
	var rows []any
	for _, id := range slices.Sorted(maps.Keys(f.services)) {
		if wanted := form.Get("serviceid"); wanted != "" && wanted != id.String() {
			continue
		}
		s := f.services[id]
		row := map[string]any{"id": id.String(), "clientid": "7", "status": s.Status, "password": "the service's own password"}
		for name, value := range s.Fields {
			row[name] = value
		}
		rows = append(rows, row)
	}
	var products any = ""
	if len(rows) > 0 {
		products = map[string]any{"product": rows}
	}
	return map[string]any{
		"result": "success", "serviceid": form.Get("serviceid"), "totalresults": strconv.Itoa(len(rows)), "startnumber": 0, "numreturned": len(rows),
		"products": products,
	}
}

// update sets what is sent and not empty, and clears what unset names. That an empty value changes nothing is a guess; a client that relies on the contrary
// fails here.
func (f *fakeWHMCS) update(form url.Values) any {
	id, _ := strconv.ParseInt(form.Get("serviceid"), 10, 64)
	s := f.services[serviceID(id)]
	if s == nil {
		return refusal("Service ID Not Found")
	}
	for name, old := range s.Fields {
		s.Fields[name] = cmp.Or(form.Get(name), old)
	}
	for _, name := range form["unset[]"] {
		if _, known := s.Fields[name]; known {
			s.Fields[name] = ""
		}
	}
	return map[string]string{"result": "success", "serviceid": serviceID(id).String()}
}
