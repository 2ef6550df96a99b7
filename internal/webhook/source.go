package webhook

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// sources knows where calls may come from. All its prefixes are masked, and IPv4 is never in its IPv4-mapped form.
type sources struct {
	allow, proxies []netip.Prefix
}

func newSources(allow, proxies []netip.Prefix) (s sources, err error) {
	if s.allow, err = normalPrefixes("AllowFrom", allow); err != nil {
		return s, err
	}
	if s.proxies, err = normalPrefixes("TrustedProxies", proxies); err != nil {
		return s, err
	}
	for _, p := range s.proxies {
		if p.Bits() == 0 {
			return s, provisioning.InvalidField("TrustedProxies", "%v would let every caller name its own source address", p)
		}
	}
	return s, nil
}

func normalPrefixes(field string, prefixes []netip.Prefix) ([]netip.Prefix, error) {
	normal := make([]netip.Prefix, 0, len(prefixes))
	for i, p := range prefixes {
		if p.Addr().Is4In6() {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if !p.IsValid() {
			return nil, provisioning.InvalidField(field, "number %d is not an address prefix", i+1)
		}
		normal = append(normal, p.Masked())
	}
	return normal, nil
}

// allowed says whether a source may call. known is false when the source could not be determined: that is enough only when every source may call.
func (s sources) allowed(source netip.Addr, known bool) bool {
	return len(s.allow) == 0 || known && contains(s.allow, source)
}

// of returns the address a call came from: the TCP peer, or, when the peer is a named proxy, the last address in X-Forwarded-For that is not itself a named
// proxy. Addresses further left were written by strangers and are ignored. No other forwarding header is read, because proxies pass on what they do not know.
// ok is false when the peer has no address (a Unix socket), or when a proxy forwarded something that is not one.
func (s sources) of(r *http.Request) (source netip.Addr, ok bool) {
	source, ok = parseAddr(r.RemoteAddr)
	if !ok || !contains(s.proxies, source) {
		return source, ok
	}
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for strings.TrimSpace(forwarded) != "" {
		comma := strings.LastIndexByte(forwarded, ',')
		if source, ok = parseAddr(strings.TrimSpace(forwarded[comma+1:])); !ok || !contains(s.proxies, source) {
			return source, ok
		}
		forwarded = forwarded[:max(comma, 0)]
	}
	return source, ok
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseAddr reads an address with or without a port, and normalises it: no zone, no IPv4-mapped form.
func parseAddr(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(text); err != nil {
			return netip.Addr{}, false
		}
		a = withPort.Addr()
	}
	return a.Unmap().WithZone(""), true
}
