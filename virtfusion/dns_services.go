package virtfusion

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// DNSService is an account at a DNS operator that the panel uses.
type DNSService struct {
	ID       DNSServiceID `json:"id"`
	Type     Int          `json:"type"` // 1 was ClouDNS in the example; the codes are not published
	Name     string       `json:"name"`
	Username string       `json:"username"`
	URL      string       `json:"url"`
	IP       string       `json:"ip"`
	Port     Int          `json:"port"`
	// Password is encrypted by the panel and of no use elsewhere.
	Password provisioning.Secret `json:"password"`
	// Config was empty in the example.
	Config       json.RawMessage `json:"config,omitempty"`
	SubAccount   Bool            `json:"subAccount"`
	Capabilities Int             `json:"capabilities"` // 1 seen; not documented
	Enabled      Bool            `json:"enabled"`
	Created      Time            `json:"created"`
	Updated      Time            `json:"updated"`
}

// LogValue logs all of it, with its secrets masked.
func (d DNSService) LogValue() slog.Value { return provisioning.Masked(d) }

// DNSServicesService reads DNS services. The panel has no list of them.
type DNSServicesService struct{ rest *rest.Client }

// Get reads one DNS service. NotFound when there is none.
//
// Class: read.
// API: GET /dns/services/{serviceId}
func (s *DNSServicesService) Get(ctx context.Context, id DNSServiceID, opts ...CallOption) (*DNSService, error) {
	if err := positive("serviceId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getDnsService", Class: rest.Read, Method: http.MethodGet, Path: []any{"dns", "services", id}},
		func(v *DNSService) error { return sameID("DNS service", v.ID, id) }, opts)
}
