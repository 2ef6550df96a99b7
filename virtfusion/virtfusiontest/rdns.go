package virtfusiontest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// DNSServiceMain is the DNS service of the default catalogue.
const DNSServiceMain int64 = 351

// dnsService is an account at a DNS operator.
type dnsService struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
}

func rdnsOperations() []operation {
	return []operation{
		{"listRdnsZones", "GET /connectivity/rdns/zones", V71, func(*call) answer { return nothing(http.StatusOK) }},
		{"setIPv4Rdns", "PUT /connectivity/ipv4/rdns", V71, (*call).setIPv4Rdns},
		{"getDnsService", "GET /dns/services/{serviceId}", "", (*call).getDNSService},
	}
}

// setIPv4Rdns stores a name in lower case. The answer has a zone when the address is in a block whose names are kept in one; what a zone looks like is a guess.
func (c *call) setIPv4Rdns() answer {
	f := c.form()
	f.require("address")
	if _, given := f.in["ptr"]; !given {
		f.fail("The ptr field must be present.")
	}
	name := strings.ToLower(f.text("ptr", "", 253))
	addr, err := netip.ParseAddr(f.text("address", "", 15))
	var in *block
	for _, b := range sorted(c.Blocks) {
		if in == nil && err == nil && !b.v6() && slices.Contains(slices.Collect(b.all(c.Net.Blocks[b.ID])), addr) {
			in = b
		}
	}
	if f.has("address") && in == nil {
		f.fail("The address is in no block")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if name == "" {
		delete(c.Net.RDNS, addr.String())
	} else {
		put(&c.Net.RDNS, addr.String(), name)
	}
	o := obj{}
	if s := c.settings(in); s.RDNSType == 2 {
		o["zone"] = obj{"id": s.ZoneID}
	}
	return ok(o)
}

func (c *call) getDNSService() answer {
	s := c.Net.DNSServices[c.id("serviceId")]
	if s == nil {
		return missing("dns service")
	}
	return ok(obj{
		"id": s.ID, "type": 1, "name": s.Name, "username": "100200", "url": "https://api.dns.test", "ip": nil, "port": 443, "password": encrypted, "config": obj{},
		"subAccount": false, "capabilities": 1, "enabled": true, "created": offset(s.Created), "updated": offset(s.Created),
	})
}
