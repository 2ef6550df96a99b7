package solusvm2

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// The units of the wire. The panel writes plain numbers; these types say of what. Conversions are exact or refused.
type (
	// ByteCount is an amount in bytes. Memory is written so: 1 GiB of it is 1073741824.
	ByteCount int64
	// GiB is an amount of disk space in units of 2^30 bytes.
	GiB int64
)

// Bytes is the same amount in the portable type.
func (n ByteCount) Bytes() provisioning.Bytes { return provisioning.Bytes(n) }

// Bytes is the same amount in bytes. Amounts that were read from an answer always fit.
func (g GiB) Bytes() provisioning.Bytes { return provisioning.Bytes(g) * provisioning.GiB }

// MemoryOf converts an amount of memory. It refuses what is not a whole number of MiB above zero, because that is a number of MiB or GiB where bytes were
// meant: MemoryOf(2048) is an error, not 2 KB.
func MemoryOf(b provisioning.Bytes) (ByteCount, error) {
	if err := checkMemory("ram", ByteCount(b)); err != nil {
		return 0, err
	}
	return ByteCount(b), nil
}

func checkMemory(field string, n ByteCount) error {
	if mib, ok := n.Bytes().Whole(provisioning.MiB); !ok || mib <= 0 {
		return provisioning.InvalidField(field, "must be a whole number of MiB above 0, not %d bytes", int64(n))
	}
	return nil
}

// GiBOf converts an amount of disk space. It refuses what is negative or not a whole number of GiB.
func GiBOf(b provisioning.Bytes) (GiB, error) {
	n, ok := b.Whole(provisioning.GiB)
	if !ok || n < 0 {
		return 0, provisioning.InvalidField("disk", "must be a whole number of GiB, not %v", b)
	}
	return GiB(n), nil
}

// UnmarshalJSON reads numbers and text; null is 0.
func (n *ByteCount) UnmarshalJSON(b []byte) error { return (*rest.Int)(n).UnmarshalJSON(b) }

// UnmarshalJSON reads numbers and text; null is 0. A number whose bytes do not fit into 63 bits is refused.
func (g *GiB) UnmarshalJSON(b []byte) error {
	if err := (*rest.Int)(g).UnmarshalJSON(b); err != nil {
		return err
	}
	if limit := GiB(math.MaxInt64 / int64(provisioning.GiB)); *g > limit || *g < -limit {
		return &json.UnmarshalTypeError{Value: "number that does not fit", Type: reflect.TypeFor[GiB]()}
	}
	return nil
}

// TrafficUnit is the unit of a traffic limit. The set is open.
type TrafficUnit string

// The traffic units. Panels before March 2022 wrote KB to PB.
const (
	TrafficKiB TrafficUnit = "KiB"
	TrafficMiB TrafficUnit = "MiB"
	TrafficGiB TrafficUnit = "GiB"
	TrafficTiB TrafficUnit = "TiB"
	TrafficPiB TrafficUnit = "PiB"
)

// trafficUnits is the one table of traffic units, largest first. The old names are read as the same amounts, because the panel renamed the units without
// changing the numbers beside them. That is a guess.
var trafficUnits = []struct {
	unit, old TrafficUnit
	size      provisioning.Bytes
}{
	{TrafficPiB, "PB", 1024 * provisioning.TiB},
	{TrafficTiB, "TB", provisioning.TiB},
	{TrafficGiB, "GB", provisioning.GiB},
	{TrafficMiB, "MB", provisioning.MiB},
	{TrafficKiB, "KB", provisioning.KiB},
}

// Size is the unit in bytes, a power of 1024. ok is false for a unit that is not known.
func (u TrafficUnit) Size() (size provisioning.Bytes, ok bool) {
	for _, t := range trafficUnits {
		if u == t.unit || u == t.old {
			return t.size, true
		}
	}
	return 0, false
}

// Known reports whether this package knows the unit.
func (u TrafficUnit) Known() bool {
	_, ok := u.Size()
	return ok
}

// TrafficLimit is a monthly amount of traffic. A server that exceeds it is slowed down, not cut off.
type TrafficLimit struct {
	IsEnabled Bool        `json:"is_enabled"`
	Limit     Int         `json:"limit"` // in Unit
	Unit      TrafficUnit `json:"unit"`
}

// Allowance is the limit in bytes: null when there is none, absent when the unit is not known or the amount does not fit.
func (l TrafficLimit) Allowance() provisioning.Opt[provisioning.Bytes] {
	if !l.IsEnabled {
		return provisioning.Null[provisioning.Bytes]()
	}
	size, ok := l.Unit.Size()
	if !ok {
		return provisioning.Opt[provisioning.Bytes]{}
	}
	b, err := provisioning.Of(int64(l.Limit), size)
	if err != nil {
		return provisioning.Opt[provisioning.Bytes]{}
	}
	return provisioning.Some(b)
}

// TrafficLimitOf makes a limit, in the largest unit of which it is a whole number. It refuses what is not a whole number of KiB above zero.
func TrafficLimitOf(b provisioning.Bytes) (TrafficLimit, error) {
	if b > 0 {
		for _, t := range trafficUnits {
			if n, ok := b.Whole(t.size); ok {
				return TrafficLimit{IsEnabled: true, Limit: Int(n), Unit: t.unit}, nil
			}
		}
	}
	return TrafficLimit{}, provisioning.InvalidField("traffic", "must be a whole number of KiB above 0, not %v", b)
}

// BandwidthUnit is the unit of a network rate. The set is open.
type BandwidthUnit string

// The bandwidth units.
const (
	BandwidthKbps BandwidthUnit = "Kbps"
	BandwidthMbps BandwidthUnit = "Mbps"
	BandwidthGbps BandwidthUnit = "Gbps"
)

// Known reports whether this package knows the unit.
func (u BandwidthUnit) Known() bool {
	return slices.Contains([]BandwidthUnit{BandwidthKbps, BandwidthMbps, BandwidthGbps}, u)
}

// BandwidthLimit is a network rate.
type BandwidthLimit struct {
	IsEnabled Bool          `json:"is_enabled"`
	Limit     Int           `json:"limit"` // in Unit
	Unit      BandwidthUnit `json:"unit"`
}

// BitsPerSecond is the rate with units of 1000, which is a guess: nothing documents it. ok is false when there is no limit, the unit is not known, or the
// number does not fit.
func (l BandwidthLimit) BitsPerSecond() (rate int64, ok bool) {
	factor := map[BandwidthUnit]Int{BandwidthKbps: 1e3, BandwidthMbps: 1e6, BandwidthGbps: 1e9}[l.Unit]
	if !l.IsEnabled || factor == 0 || l.Limit < 0 || l.Limit > math.MaxInt64/factor {
		return 0, false
	}
	return int64(l.Limit * factor), true
}
