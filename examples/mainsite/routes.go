package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// routes are the site's. They ask for no password: put your own authentication around them, and take the customer from it. Pages of other sites cannot make a browser call them.
func (s *site) routes() http.Handler {
	m := http.NewServeMux()
	handle := func(pattern string, h func(w http.ResponseWriter, r *http.Request) error) {
		m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.refuse(w, r, err)
			}
		})
	}
	handle("POST /vps", s.postVPS)
	handle("GET /vps", s.listVPS)
	handle("GET /vps/{key}", s.getVPS)
	handle("GET /vps/{key}/events", s.getEvents)
	handle("DELETE /vps/{key}", s.change(func(ctx context.Context, key string) error { return s.desire(ctx, key, engine.Absent) }))
	handle("POST /vps/{key}/suspend", s.change(func(ctx context.Context, key string) error { return s.desire(ctx, key, engine.Suspended) }))
	handle("POST /vps/{key}/unsuspend", s.change(func(ctx context.Context, key string) error { return s.desire(ctx, key, engine.Present) }))
	handle("POST /vps/{key}/resync", s.change(s.engine.Resync))
	handle("POST /vps/{key}/password", s.postPassword)
	handle("POST /vps/{key}/password/reset", s.postReset)
	handle("GET /commands/{id}", s.getCommand)
	handle("POST /vps/{key}/record", s.postRecord)
	handle("PUT /customers/{id}", s.putCustomer)
	handle("POST /reconcile", s.postReconcile)
	handle("GET /healthz", s.getHealth)
	if s.hooks != nil {
		m.Handle("POST /webhooks/virtfusion", s.hooks)
	}
	return http.NewCrossOriginProtection().Handler(m)
}

// change answers a request that changes what should be, or when it is looked at. It is stored when the answer is sent, and carried out later.
func (s *site) change(f func(ctx context.Context, key string) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := r.PathValue("key")
		if err := f(r.Context(), key); err != nil {
			return err
		}
		return accept(w, key)
	}
}

func (s *site) postVPS(w http.ResponseWriter, r *http.Request) error {
	o := order{IPv4: 1}
	if err := readJSON(w, r, &o); err != nil {
		return err
	}
	if err := s.place(r.Context(), o); err != nil {
		return err
	}
	return accept(w, o.Key)
}

func accept(w http.ResponseWriter, key string) error {
	d := accepted(key)
	w.Header().Set("Location", d.Status)
	return writeJSON(w, http.StatusAccepted, d)
}

func accepted(key string) acceptedDocument {
	url := "/vps/" + key
	return acceptedDocument{Key: key, Status: url, Events: url + "/events"}
}

func (s *site) getVPS(w http.ResponseWriter, r *http.Request) error {
	d, err := s.service(r.Context(), r.PathValue("key"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, d)
}

// service describes a service as it was seen last.
func (s *site) service(ctx context.Context, key string) (serviceDocument, error) {
	o, err := s.db.order(ctx, key)
	if err != nil {
		return serviceDocument{}, err
	}
	status, err := s.engine.Status(ctx, key)
	return describeService(o, status), err
}

const (
	listDefault = 100
	listMax     = 1000
)

func (s *site) listVPS(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), listDefault
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > listMax {
			return provisioning.InvalidField("limit", "must be 1 to %d", listMax)
		}
		limit = n
	}
	orders, err := s.db.orders(r.Context(), q.Get("customer"), q.Get("after"), limit)
	if err != nil {
		return err
	}
	d := listDocument{Services: []serviceDocument{}}
	if len(orders) == limit {
		d.After = orders[limit-1].key
	}
	for _, o := range orders {
		status, err := s.engine.Status(r.Context(), o.key)
		if err != nil {
			return err
		}
		if !status.AsDesired || q.Get("wrong") != "true" {
			d.Services = append(d.Services, describeService(o, status))
		}
	}
	return writeJSON(w, http.StatusOK, d)
}

// postPassword hands out the root password. It is deleted with that, so that it is told to one caller.
func (s *site) postPassword(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.db.order(r.Context(), r.PathValue("key")); err != nil {
		return err
	}
	password, err := s.engine.TakePassword(r.Context(), r.PathValue("key"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, passwordDocument{password})
}

// postReset asks for a new root password. That is done once, and has a result of its own.
func (s *site) postReset(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("key")
	id, err := s.resetPassword(r.Context(), key)
	if err != nil {
		return err
	}
	d := accepted(key)
	d.Command = "/commands/" + id
	w.Header().Set("Location", d.Command)
	return writeJSON(w, http.StatusAccepted, d)
}

func (s *site) getCommand(w http.ResponseWriter, r *http.Request) error {
	c, err := s.engine.Command(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, commandDocument{Key: c.Key, Verb: c.Verb, State: c.State, Over: c.Over(), Message: c.Message})
}

// postRecord stores what a person has found out about a record that is uncertain.
func (s *site) postRecord(w http.ResponseWriter, r *http.Request) error {
	var found struct {
		ID string `json:"id"`
	}
	if err := readJSON(w, r, &found); err != nil {
		return err
	}
	id := found.ID
	switch n, err := strconv.ParseInt(id, 10, 32); {
	case id == "none":
		id = ""
	case err != nil || n < 1:
		return provisioning.InvalidField("id", `must be the id of the record on the OSPAB panel, such as "17", or "none" when it has none`)
	}
	key := r.PathValue("key")
	if err := s.engine.SettleRecord(r.Context(), key, registrarName, provisioning.RecordID(id)); err != nil {
		return err
	}
	return accept(w, key)
}

func (s *site) putCustomer(w http.ResponseWriter, r *http.Request) error {
	var c customer
	if err := readJSON(w, r, &c); err != nil {
		return err
	}
	if c.ID != "" && c.ID != r.PathValue("id") {
		return provisioning.InvalidField("id", "must be the one of the path, or be left out")
	}
	c.ID = r.PathValue("id")
	if err := c.check(); err != nil {
		return err
	}
	if err := s.setCustomer(r.Context(), c); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c)
}

// postReconcile compares everything with the panels. With ?apply=true it puts right what may be put right; it never deletes anything.
func (s *site) postReconcile(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	apply, err := strconv.ParseBool(q.Get("apply"))
	if err != nil && q.Has("apply") {
		return provisioning.InvalidField("apply", "must be true or false")
	}
	plan, err := s.engine.Reconcile(r.Context(), engine.ReconcileOptions{Panel: q.Get("panel"), Apply: apply})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, describePlan(plan))
}

// getHealth is about this program and its database. A panel that is down does not make it ill: orders are taken all the same.
func (s *site) getHealth(w http.ResponseWriter, r *http.Request) error {
	panels, err := s.engine.Panels(r.Context())
	backlog, berr := s.engine.Backlog(r.Context())
	if err = errors.Join(err, berr); err != nil {
		s.log.ErrorContext(r.Context(), "mainsite: the database failed", "error", err)
		return writeJSON(w, http.StatusServiceUnavailable, healthDocument{Status: "the database failed"})
	}
	return writeJSON(w, http.StatusOK, describeHealth(panels, backlog))
}

// refuse answers with the error. What is not the caller's fault is logged, and not shown.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody listens any more
	}
	status, d := describeError(err)
	if status >= http.StatusInternalServerError {
		s.log.ErrorContext(r.Context(), "mainsite: a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if err := writeJSON(w, status, d); err != nil && !errors.Is(err, context.Canceled) {
		s.log.WarnContext(r.Context(), "mainsite: an answer could not be sent", "error", err)
	}
}
