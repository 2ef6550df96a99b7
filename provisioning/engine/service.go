package engine

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Desired is what a service should be.
type Desired string

// The desired states. Absent is final.
const (
	Present   Desired = "present"
	Suspended Desired = "suspended"
	Absent    Desired = "absent"
)

// Service is one order, as it should be. Applying the same Key again changes it; what is left empty then stays as it was, so that Service{Key: key, Desired:
// Suspended} is enough. A Spec is left empty or given as a whole.
type Service struct {
	// Key names the order for ever: 1 to 40 characters of a-z, 0-9 and "-". It is written onto the server.
	Key string
	// Provider is the name of the panel that has the server. It never changes.
	Provider string
	// Spec is the order. Its Key is the service's. Its Owner.Ref never changes. After the installation only Plan, Memory, Disk and VCPUs are followed; what
	// else changes later has no effect: see the commands. Native is refused, because it cannot be stored: put a provider around yours that adds it.
	Spec provisioning.CreateRequest
	// Desired is Present when empty and the Key is new.
	Desired Desired
	// Registrars are names of panels that keep a record of the server. A name that is taken off the list later is no longer reported to; its record stays as
	// it is. Nil leaves the list as it is.
	Registrars []string
	// Record replaces what is reported to registrars where a field is not empty; the rest is what the provider's panel tells. Its Status is not used: it is
	// always observed.
	Record provisioning.Record
	// DeleteIn is the grace period of a deletion, see provisioning.DeleteOptions.
	DeleteIn time.Duration
	// Reason is given to panels that store why a server is suspended.
	Reason string
}

var keyPattern = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func checkKey(key string) error {
	if !keyPattern.MatchString(key) {
		return provisioning.InvalidField("key", "must be 1 to 40 characters of a-z, 0-9 and -")
	}
	return nil
}

// stored is a service as the database has it.
type stored struct {
	Service
	generation int64 // grows when the service changes, and with Resync
	forgotten  bool
}

// body is the part of a service that is stored as JSON.
type body struct {
	Spec       provisioning.CreateRequest `json:"spec"`
	Registrars []string                   `json:"registrars,omitempty"`
	Record     provisioning.Record        `json:"record,omitzero"`
	DeleteIn   time.Duration              `json:"deleteIn,omitempty"`
	Reason     string                     `json:"reason,omitempty"`
}

func (s Service) encode() (string, error) {
	b, err := json.Marshal(body{s.Spec, s.Registrars, s.Record, s.DeleteIn, s.Reason})
	if err != nil {
		return "", fmt.Errorf("engine: service %s: %w", s.Key, err)
	}
	return string(b), nil
}

func (s *Service) decode(text string) error {
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return fmt.Errorf("engine: stored service %s: %w", s.Key, err)
	}
	s.Spec, s.Registrars, s.Record, s.DeleteIn, s.Reason = b.Spec, b.Registrars, b.Record, b.DeleteIn, b.Reason
	return nil
}

// merge fills what is empty in s from what is stored.
func (s Service) merge(old Service) Service {
	if s.Provider == "" {
		s.Provider = old.Provider
	}
	if s.Desired == "" {
		s.Desired = old.Desired
	}
	asked := s.Spec
	asked.Key = ""
	if reflect.ValueOf(asked).IsZero() {
		s.Spec = old.Spec
	}
	if s.Registrars == nil {
		s.Registrars = old.Registrars
	}
	if s.Record == (provisioning.Record{}) {
		s.Record = old.Record
	}
	if s.DeleteIn == 0 {
		s.DeleteIn = old.DeleteIn
	}
	if s.Reason == "" {
		s.Reason = old.Reason
	}
	return s
}

// check validates a complete service. Registrars that are stored with it already need not be configured in this process.
func (s Service) check(panels map[string]*panel, storedRegistrars []string) error {
	p := panels[s.Provider]
	switch {
	case p == nil || p.provider == nil:
		return provisioning.InvalidField("provider", "%.40q is not one of the providers", s.Provider)
	case s.Spec.Native != nil:
		return provisioning.InvalidField("spec.native", "cannot be stored; put a provider around yours that adds it")
	case s.Desired != Present && s.Desired != Suspended && s.Desired != Absent:
		return provisioning.InvalidField("desired", "must be present, suspended or absent")
	case s.DeleteIn < 0:
		return provisioning.InvalidField("deleteIn", "must not be negative")
	}
	for i, name := range s.Registrars {
		if r := panels[name]; (r == nil || r.registrar == nil) && !slices.Contains(storedRegistrars, name) {
			return provisioning.InvalidField("registrars", "%.40q is not one of the registrars", name)
		}
		if slices.Contains(s.Registrars[:i], name) {
			return provisioning.InvalidField("registrars", "%s is named twice", name)
		}
	}
	if err := s.Spec.Validate(); err != nil {
		return err
	}
	if c, ok := provisioning.As[provisioning.Creator](p.provider); ok {
		if _, err := c.CreateScope(s.Spec); err != nil {
			return err
		}
	}
	return nil
}

// mayReplace says why a service must not become s. asked is what the caller wrote for Desired.
func (s Service) mayReplace(old stored, asked Desired) error {
	refuse := func(format string, args ...any) error {
		return &provisioning.Error{Op: "Apply", Kind: provisioning.Conflict, Message: "service " + s.Key + " " + fmt.Sprintf(format, args...)}
	}
	switch {
	case old.forgotten:
		return refuse("was forgotten; its key is never used again")
	case old.Desired == Absent && asked != Absent:
		return refuse("is to be absent, which is final; its key is never used again")
	case s.Provider != old.Provider:
		return refuse("belongs to provider %s", old.Provider)
	case s.Spec.Owner.Ref != old.Spec.Owner.Ref:
		return refuse("belongs to owner %s", old.Spec.Owner.Ref)
	}
	return nil
}
