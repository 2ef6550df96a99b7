package solusvm2test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hvpanels/hvpanels/internal/fakeserver"
)

// EventHandlersAPI manages event handlers over HTTP, for programs that simulate the panel. The routes are those of the simulation, not of the panel, whose
// path for them nobody knows; there is no check of credentials, and the shared secrets are shown.
//
//	GET    /_sim/event-handlers       the handlers, an array
//	POST   /_sim/event-handlers       adds one: {"name", "url", "events": [...], "parameters": {...}, "enabled"}
//	GET    /_sim/event-handlers/{id}
//	PATCH  /_sim/event-handlers/{id}  changes the members that are sent: {"enabled": false} switches it off
//	DELETE /_sim/event-handlers/{id}
//	GET    /_sim/events               what a handler can be tied to, an array of texts
//	GET    /_sim/deliveries           the calls that were made, an array; URLs without their parameters
func (p *Panel) EventHandlersAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/event-handlers", p.apiList)
	mux.HandleFunc("POST /_sim/event-handlers", p.apiStore)
	mux.HandleFunc("GET /_sim/event-handlers/{id}", p.apiGet)
	mux.HandleFunc("PATCH /_sim/event-handlers/{id}", p.apiStore)
	mux.HandleFunc("DELETE /_sim/event-handlers/{id}", p.apiRemove)
	mux.HandleFunc("GET /_sim/events", func(w http.ResponseWriter, _ *http.Request) { fakeserver.WriteJSON(w, http.StatusOK, Events()) })
	mux.HandleFunc("GET /_sim/deliveries", p.apiDeliveries)
	return mux
}

func (p *Panel) apiList(w http.ResponseWriter, _ *http.Request) {
	list := []*eventHandler{}
	for _, h := range p.EventHandlers() {
		list = append(list, h.stored())
	}
	fakeserver.WriteJSON(w, http.StatusOK, list)
}

// handler returns the event handler that the path names.
func (p *Panel) handler(r *http.Request) (EventHandler, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err == nil {
		for _, h := range p.EventHandlers() {
			if h.ID == id {
				return h, true
			}
		}
	}
	return EventHandler{}, false
}

func (p *Panel) apiGet(w http.ResponseWriter, r *http.Request) {
	h, known := p.handler(r)
	if !known {
		apiError(w, http.StatusNotFound, errNoHandler)
		return
	}
	fakeserver.WriteJSON(w, http.StatusOK, h.stored())
}

// apiStore adds a handler, or changes the one that the path names.
func (p *Panel) apiStore(w http.ResponseWriter, r *http.Request) {
	old, known := p.handler(r)
	if r.Method == http.MethodPatch && !known {
		apiError(w, http.StatusNotFound, errNoHandler)
		return
	}
	in := old.stored()
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		apiError(w, http.StatusBadRequest, errors.New("wanted a JSON object with name, url, events, parameters and enabled"))
		return
	}
	in.ID = old.ID
	status := http.StatusCreated
	if known {
		status = http.StatusOK
	}
	out, err := p.storeHandler(in.view())
	if err != nil {
		apiError(w, http.StatusUnprocessableEntity, err)
		return
	}
	fakeserver.WriteJSON(w, status, out.stored())
}

func (p *Panel) apiRemove(w http.ResponseWriter, r *http.Request) {
	h, _ := p.handler(r)
	if err := p.RemoveEventHandler(h.ID); err != nil {
		apiError(w, http.StatusNotFound, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (p *Panel) apiDeliveries(w http.ResponseWriter, _ *http.Request) {
	list := []obj{}
	for _, d := range p.Deliveries() {
		list = append(list, obj{
			"taskId": d.TaskID, "handlerId": d.HandlerID, "handlerName": d.HandlerName, "event": d.Event, "time": d.Time.Format(time.RFC3339Nano),
			"redirects": d.Redirects, "status": d.Status, "done": d.Done, "failed": d.Failed, "reason": d.Reason,
		})
	}
	fakeserver.WriteJSON(w, http.StatusOK, list)
}

func apiError(w http.ResponseWriter, status int, err error) {
	fakeserver.WriteJSON(w, status, obj{"error": err.Error()})
}
