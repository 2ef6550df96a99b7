package virtfusion

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/hvpanels/hvpanels/provisioning"
)

var _ provisioning.AddressManager = (*Provider)(nil)

// Addresses lists what the server has: IPv4 addresses as /32, IPv6 as the subnets in which the panel hands them out. It does not ask the hypervisor.
func (p *Provider) Addresses(ctx context.Context, id provisioning.ID) ([]provisioning.Address, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	s, err := p.client.Servers.Get(ctx, server, GetServerOptions{})
	if err != nil {
		return nil, err
	}
	return s.Network.addresses(), nil
}

// AddIPv4 adds addresses to the primary interface. It is sent once: after ErrMaybeApplied compare Addresses with what they were before. The addresses are told as
// extra ones; on a server that had none, or that is behind NAT, Addresses tells what they are.
func (p *Provider) AddIPv4(ctx context.Context, id provisioning.ID, count int) ([]provisioning.Address, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if count < 1 {
		return nil, provisioning.InvalidField("count", "must be above 0, not %d", count)
	}
	given, err := p.client.Servers.AddIPv4Quantity(ctx, server, InterfacePrimary, count)
	var all []provisioning.Address
	for _, a := range given {
		all = append(all, provisioning.Address{Prefix: netip.PrefixFrom(a, a.BitLen()), Kind: provisioning.AddressExtra})
	}
	return all, err
}

// RemoveAddresses takes IPv4 addresses away from whichever interface has them. It reads the server first: what the server does not have counts as removed. When
// an answer was lost it reads the server again, so that ErrMaybeApplied is left only where the addresses are still there or the panel cannot be read.
//
// The panel has no known way to take an IPv6 subnet back, so that is refused as Unsupported before anything is sent.
func (p *Provider) RemoveAddresses(ctx context.Context, id provisioning.ID, addresses []netip.Addr) error {
	server, err := parseID(id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(addresses, netip.Addr.Is6) {
		return &provisioning.Error{Panel: panelName, Op: "removeIPv4Addresses", Kind: provisioning.Unsupported, Message: "the panel takes back IPv4 addresses only"}
	}
	if err := checkIPv4(addresses); err != nil {
		return err
	}
	held, err := p.held(ctx, server, addresses)
	if err != nil {
		return err
	}
	removed := false
	for _, on := range []InterfaceRef{InterfacePrimary, InterfaceSecondary} {
		if len(held[on]) == 0 {
			continue
		}
		err := p.client.Servers.RemoveIPv4(ctx, server, on, held[on])
		if errors.Is(err, provisioning.ErrMaybeApplied) {
			if left, lookErr := p.held(ctx, server, held[on]); lookErr == nil && len(left) == 0 {
				err = nil
			}
		}
		if err != nil {
			return partly(err, removed)
		}
		removed = true
	}
	return nil
}

// held sorts those of the addresses that the server has by their interface.
func (p *Provider) held(ctx context.Context, id ServerID, addresses []netip.Addr) (map[InterfaceRef][]netip.Addr, error) {
	s, err := p.client.Servers.Get(ctx, id, GetServerOptions{})
	if err != nil {
		return nil, err
	}
	held := map[InterfaceRef][]netip.Addr{}
	for on, interfaces := range map[InterfaceRef][]ServerInterface{InterfacePrimary: s.Network.Interfaces, InterfaceSecondary: s.Network.SecondaryInterfaces} {
		for _, i := range interfaces {
			for _, row := range i.IPv4 {
				if a, err := netip.ParseAddr(row.Address); err == nil && slices.Contains(addresses, a) {
					held[on] = append(held[on], a)
				}
			}
		}
	}
	return held, nil
}

// partly marks the error of a later call when an earlier one of the same verb has been carried out.
func partly(err error, done bool) error {
	var e *provisioning.Error
	if done && errors.As(err, &e) {
		e.MaybeApplied = true
	}
	return err
}
