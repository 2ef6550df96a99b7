package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// ServeHTTP serves the panel, and the control paths beside it.
func (s *simulation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.control(w, r)
		return
	}
	s.panel.ServeHTTP(w, r)
	if r.Method != http.MethodGet {
		s.state.keep(s)
	}
}

func (s *simulation) control(w http.ResponseWriter, r *http.Request) {
	if s.events != nil && isEvents(r.URL.Path) {
		s.events.ServeHTTP(w, r)
		if r.Method != http.MethodGet {
			s.state.keep(s)
		}
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /_sim/servers":
		answer(w, http.StatusOK, s.servers())
	case "POST /_sim/faults":
		faults, err := readFaults(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		for _, f := range faults {
			s.panel.Inject(f)
		}
		answer(w, http.StatusOK, map[string]int{"added": len(faults)})
	case "DELETE /_sim/faults":
		s.panel.Faults().Clear()
		w.WriteHeader(http.StatusNoContent)
	default:
		paths := "there are GET /_sim/servers, POST /_sim/faults and DELETE /_sim/faults"
		if s.events != nil {
			paths += ", and " + strings.Join(eventPaths(), ", ")
		}
		answer(w, http.StatusNotFound, map[string]string{"error": paths})
	}
}

// eventPaths are the control paths of event handlers, see solusvm2test.Panel.EventHandlersAPI.
func eventPaths() []string {
	return []string{"/_sim/event-handlers", "/_sim/events", "/_sim/deliveries"}
}

func isEvents(path string) bool {
	return slices.ContainsFunc(eventPaths(), func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v)
}

// faultRule is a provisioningtest.Fault with durations as text.
type faultRule struct {
	Op         string                  `json:"op"`
	Do         provisioningtest.Action `json:"do"`
	Skip       int                     `json:"skip"`
	Times      int                     `json:"times"`
	Delay      duration                `json:"delay"`
	Late       duration                `json:"late"`
	Status     int                     `json:"status"`
	Body       string                  `json:"body"`
	RetryAfter string                  `json:"retryAfter"`
}

type duration time.Duration

// UnmarshalText reads "1m30s".
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a time such as \"5s\"", text)
	}
	*d = duration(v)
	return nil
}

var actions = []provisioningtest.Action{
	provisioningtest.Refuse, provisioningtest.CutBefore, provisioningtest.CutAfter, provisioningtest.CommitLate, provisioningtest.Answer, provisioningtest.AnswerLate,
	provisioningtest.HTML, provisioningtest.CutBody, provisioningtest.Hang, provisioningtest.HangAfter, provisioningtest.Slow,
}

// readFaults takes all rules of the array, or none.
func readFaults(body io.Reader) ([]provisioningtest.Fault, error) {
	var rules []faultRule
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&rules); err != nil {
		return nil, fmt.Errorf("wanted a JSON array of fault rules: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows after the array")
	}
	var faults []provisioningtest.Fault
	for i, r := range rules {
		if !slices.Contains(actions, r.Do) {
			return nil, fmt.Errorf("rule %d: \"do\" is %q, not one of %q", i+1, r.Do, actions)
		}
		if r.Skip < 0 || r.Status != 0 && (r.Status < 200 || r.Status > 599) {
			return nil, fmt.Errorf("rule %d: skip must not be negative, and status must be 200 to 599", i+1)
		}
		faults = append(faults, provisioningtest.Fault{
			Op: r.Op, Do: r.Do, Skip: r.Skip, Times: r.Times, Delay: time.Duration(r.Delay), Late: time.Duration(r.Late), Status: r.Status, Body: r.Body, RetryAfter: r.RetryAfter,
		})
	}
	return faults, nil
}
