package webhook

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, t := range texts {
		all = append(all, netip.MustParsePrefix(t))
	}
	return all
}

func TestSourceOfACall(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		proxies   []netip.Prefix
		peer      string
		forwarded []string
		want      string // "" when it cannot be determined
	}{
		{"is the TCP peer", nil, "192.0.2.1:4711", nil, "192.0.2.1"},
		{"is an IPv6 peer", nil, "[2001:db8::1]:4711", nil, "2001:db8::1"},
		{"is a mapped peer as IPv4", nil, "[::ffff:192.0.2.1]:4711", nil, "192.0.2.1"},
		{"is a peer without its zone", nil, "[fe80::1%eth0]:4711", nil, "fe80::1"},
		{"is a peer without a port", nil, "192.0.2.1", nil, "192.0.2.1"},
		{"ignores what a stranger forwards", nil, "192.0.2.1:1", []string{"198.51.100.9"}, "192.0.2.1"},
		{"ignores what an unnamed proxy forwards", prefixes("10.0.0.0/8"), "192.0.2.1:1", []string{"198.51.100.9"}, "192.0.2.1"},
		{"is what a named proxy forwards", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"198.51.100.9"}, "198.51.100.9"},
		{"is the proxy when it forwards nothing", prefixes("10.0.0.0/8"), "10.1.2.3:1", nil, "10.1.2.3"},
		{"is the last address, not one that a client wrote before it", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7, 198.51.100.9"}, "198.51.100.9"},
		{"skips named proxies from the right", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7, 198.51.100.9, 10.9.9.9"}, "198.51.100.9"},
		{"joins repeated headers in order", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7", "198.51.100.9", "10.9.9.9"}, "198.51.100.9"},
		{"is the first proxy when all are named", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"10.7.7.7, 10.8.8.8"}, "10.7.7.7"},
		{"reads ports and brackets", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"[2001:db8::9]:1234"}, "2001:db8::9"},
		{"reads bracketed addresses", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"[2001:db8::9]"}, "2001:db8::9"},
		{"reads mapped forwarded addresses as IPv4", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"::ffff:198.51.100.9"}, "198.51.100.9"},
		{"knows a mapped proxy", prefixes("::ffff:10.0.0.0/104"), "10.1.2.3:1", []string{"198.51.100.9"}, "198.51.100.9"},
		{"is unknown when a proxy forwards words", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"unknown"}, ""},
		{"is unknown after a trailing comma", prefixes("10.0.0.0/8"), "10.1.2.3:1", []string{"198.51.100.9,"}, ""},
		{"is unknown on a Unix socket", prefixes("10.0.0.0/8"), "@", []string{"198.51.100.9"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, err := newSources(nil, tc.proxies)
			require.NoError(t, err)
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr = tc.peer
			r.Header["X-Forwarded-For"] = tc.forwarded
			r.Header.Set("X-Real-Ip", "203.0.113.99")
			r.Header.Set("Forwarded", "for=203.0.113.99")
			got, ok := s.of(r)
			assert.Equal(t, tc.want != "", ok)
			if tc.want != "" {
				assert.Equal(t, tc.want, got.String())
			}
		})
	}
}

func TestAllowedSources(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		allow  []netip.Prefix
		source string
		want   bool
	}{
		{"an empty list allows everybody", nil, "192.0.2.1", true},
		{"an empty list allows a source without address", nil, "", true},
		{"a listed address", prefixes("192.0.2.1/32"), "192.0.2.1", true},
		{"its neighbour is refused", prefixes("192.0.2.1/32"), "192.0.2.2", false},
		{"a listed network", prefixes("192.0.2.77/24"), "192.0.2.200", true},
		{"a mapped prefix means IPv4", prefixes("::ffff:192.0.2.0/120"), "192.0.2.5", true},
		{"an IPv6 network", prefixes("2001:db8::/32"), "2001:db8:ffff::1", true},
		{"one of several", prefixes("192.0.2.1/32", "2001:db8::1/128"), "2001:db8::1", true},
		{"a list refuses a source without address", prefixes("0.0.0.0/0"), "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, err := newSources(tc.allow, nil)
			require.NoError(t, err)
			a, ok := parseAddr(tc.source)
			assert.Equal(t, tc.want, s.allowed(a, ok))
		})
	}
}

func TestBadPrefixesAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"no prefix at all", Options{AllowFrom: []netip.Prefix{{}}}, "AllowFrom"},
		{"a mapped prefix wider than IPv4", Options{AllowFrom: prefixes("::ffff:0.0.0.0/90")}, "AllowFrom"},
		{"a proxy that is everybody", Options{TrustedProxies: prefixes("0.0.0.0/0")}, "TrustedProxies"},
		{"a proxy that is every IPv6 address", Options{TrustedProxies: prefixes("::/0")}, "TrustedProxies"},
		{"a negative URL limit", Options{MaxURLBytes: -1}, "MaxURLBytes"},
		{"a negative header limit", Options{MaxHeaderBytes: -1}, "MaxHeaderBytes"},
		{"a negative body limit", Options{MaxBodyBytes: -1}, "MaxBodyBytes"},
		{"a negative time limit", Options{StoreTimeout: -1}, "StoreTimeout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := New("panel", tc.o)
			require.ErrorIs(t, err, provisioning.Invalid)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func FuzzSource(f *testing.F) {
	f.Add("192.0.2.1:1", "203.0.113.7, 198.51.100.9, 10.9.9.9")
	f.Add("10.0.0.1:1", " , ,,")
	f.Add("10.0.0.1:1", "[::ffff:1.2.3.4%x]:1")
	s, err := newSources(prefixes("198.51.100.0/24"), prefixes("10.0.0.0/8"))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		source, ok := s.of(r)
		if ok && (!source.IsValid() || source.Is4In6() || source.Zone() != "") {
			t.Fatalf("source %v is not normal", source)
		}
		if direct, known := parseAddr(peer); known && !contains(s.proxies, direct) && source != direct {
			t.Fatalf("peer %q, forwarded %q: source %v", peer, forwarded, source)
		}
	})
}
