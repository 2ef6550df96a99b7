package virtfusion

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// InterfaceRef names a network interface of a server: InterfacePrimary, InterfaceSecondary, or on panel 7.1 what InterfaceTag makes.
type InterfaceRef string

// The interfaces that every panel version knows.
const (
	InterfacePrimary   InterfaceRef = "primary"
	InterfaceSecondary InterfaceRef = "secondary"
)

// InterfaceTag names an interface by its tag (ServerInterface.Tag), which only panel 7.1 understands, and only in paths: the operations that take an interface
// in their body know primary and secondary.
func InterfaceTag(tag Int) InterfaceRef { return InterfaceRef(strconv.FormatInt(int64(tag), 10)) }

// inBody refuses what is neither primary nor secondary.
func (r InterfaceRef) inBody() error {
	if r != InterfacePrimary && r != InterfaceSecondary {
		return provisioning.InvalidField("interface", "must be %q or %q", InterfacePrimary, InterfaceSecondary)
	}
	return nil
}

// inPath refuses what is neither primary nor secondary nor a tag.
func (r InterfaceRef) inPath() error {
	if tag, err := strconv.ParseInt(string(r), 10, 64); err == nil && tag > 0 && !strings.HasPrefix(string(r), "+") {
		return nil
	}
	if r.inBody() != nil {
		return provisioning.InvalidField("interface", "must be %q, %q or a tag", InterfacePrimary, InterfaceSecondary)
	}
	return nil
}

// checkInterface checks what the operations on one interface have in common.
func checkInterface(id ServerID, ref InterfaceRef) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	return ref.inPath()
}

// AddIPv4Quantity gives a server that many IPv4 addresses which the panel chooses, and returns them. Kind Capacity for "no free addresses" rests on the words
// of the refusal.
//
// It is sent once: repeating it would give more addresses. After ErrMaybeApplied read the server and compare. When the panel gives another number than asked
// for, the addresses are returned together with an error of Kind Mismatch and ErrMaybeApplied.
//
// Class: once.
// API: POST /servers/{serverId}/ipv4Qty
func (s *ServersService) AddIPv4Quantity(ctx context.Context, id ServerID, on InterfaceRef, quantity int, opts ...CallOption) ([]netip.Addr, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := on.inBody(); err != nil {
		return nil, err
	}
	if quantity < 1 {
		return nil, provisioning.InvalidField("quantity", "must be above 0, not %d", quantity)
	}
	in := struct {
		Interface InterfaceRef `json:"interface"`
		Quantity  int          `json:"quantity"`
	}{on, quantity}
	given, err := fetchList[netip.Addr](ctx, s.rest, rest.Call{Op: "addIPv4Quantity", Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "ipv4Qty"}, In: in}, opts)
	if err == nil && len(given) != quantity {
		err = &provisioning.Error{Panel: panelName, Op: "addIPv4Quantity", Method: http.MethodPost, Path: "/servers/" + format(id) + "/ipv4Qty",
			Kind: provisioning.Mismatch, MaybeApplied: true, Message: fmt.Sprintf("the panel gave %d addresses instead of %d", len(given), quantity)}
	}
	return given, err
}

// AddIPv4 gives a server these IPv4 addresses, which must be free and in a block that its hypervisor may use. An address is on the server or is not, so it is
// repeated after an unclear answer; a panel that then says that the server has it already is reported together with the doubt.
//
// The documentation of panel 6.2 knows no interface here; it is sent all the same.
//
// Class: set.
// API: POST /servers/{serverId}/ipv4
func (s *ServersService) AddIPv4(ctx context.Context, id ServerID, on InterfaceRef, addresses []netip.Addr, opts ...CallOption) error {
	return s.changeIPv4(ctx, rest.Call{Op: "addIPv4Addresses", Method: http.MethodPost}, id, on, addresses, opts)
}

// RemoveIPv4 takes these IPv4 addresses away from a server. What the panel says about an address that the server does not have, and whether it gives up the
// server's first one, is not documented. The documentation of panel 6.2 knows no interface here; it is sent all the same.
//
// Class: set.
// API: DELETE /servers/{serverId}/ipv4
func (s *ServersService) RemoveIPv4(ctx context.Context, id ServerID, on InterfaceRef, addresses []netip.Addr, opts ...CallOption) error {
	return s.changeIPv4(ctx, rest.Call{Op: "removeIPv4Addresses", Method: http.MethodDelete}, id, on, addresses, opts)
}

func (s *ServersService) changeIPv4(ctx context.Context, call rest.Call, id ServerID, on InterfaceRef, addresses []netip.Addr, opts []CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if err := on.inBody(); err != nil {
		return err
	}
	if err := checkIPv4(addresses); err != nil {
		return err
	}
	call.Class, call.Path = rest.Set, []any{"servers", id, "ipv4"}
	call.In = struct {
		Interface InterfaceRef `json:"interface"`
		IP        []netip.Addr `json:"ip"`
	}{on, addresses}
	return s.rest.Do(ctx, call, opts...)
}

// checkIPv4 wants addresses, all of them IPv4 and each of them once.
func checkIPv4(addresses []netip.Addr) error {
	if len(addresses) == 0 {
		return provisioning.InvalidField("addresses", "must not be empty")
	}
	for i, a := range addresses {
		if !a.Is4() {
			return provisioning.InvalidField("addresses", "must be IPv4 addresses, not %q", a)
		}
		if slices.Contains(addresses[:i], a) {
			return provisioning.InvalidField("addresses", "names %s twice", a)
		}
	}
	return nil
}

// AddToWhitelist lets a server send from a prefix although it is not assigned to it. ServerInterface.IPWhitelist lists these prefixes. It is sent once, because
// whether the panel would list a prefix twice is not documented.
//
// Class: once.
// API: POST /servers/{serverId}/networkWhitelist
func (s *ServersService) AddToWhitelist(ctx context.Context, id ServerID, on InterfaceRef, prefix netip.Prefix, opts ...CallOption) error {
	if !prefix.IsValid() {
		return provisioning.InvalidField("prefix", "must be an address with the length of its network")
	}
	bits := prefix.Bits()
	return s.whitelist(ctx, rest.Call{Op: "addNetworkWhitelist", Class: rest.Once, Method: http.MethodPost}, id, on, prefix.Addr(), &bits, opts)
}

// RemoveFromWhitelist takes a prefix from the whitelist. The panel knows it by its address alone.
//
// Class: set.
// API: DELETE /servers/{serverId}/networkWhitelist
func (s *ServersService) RemoveFromWhitelist(ctx context.Context, id ServerID, on InterfaceRef, address netip.Addr, opts ...CallOption) error {
	if !address.IsValid() {
		return provisioning.InvalidField("address", "must be an address")
	}
	return s.whitelist(ctx, rest.Call{Op: "removeNetworkWhitelist", Class: rest.Set, Method: http.MethodDelete}, id, on, address, nil, opts)
}

func (s *ServersService) whitelist(ctx context.Context, call rest.Call, id ServerID, on InterfaceRef, ip netip.Addr, bits *int, opts []CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if err := on.inBody(); err != nil {
		return err
	}
	call.Path = []any{"servers", id, "networkWhitelist"}
	call.In = struct {
		Interface InterfaceRef `json:"interface"`
		IP        netip.Addr   `json:"ip"`
		CIDR      *int         `json:"cidr,omitempty"`
	}{on, ip, bits}
	return s.rest.Do(ctx, call, opts...)
}
