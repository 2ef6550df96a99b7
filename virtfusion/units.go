package virtfusion

import (
	"encoding/json"
	"math"
	"reflect"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// The units of the wire. The panel writes plain numbers; these types say of what. Conversions are exact or refused.
type (
	// MB is an amount of memory in the panel's megabytes of 2^20 bytes.
	MB int64
	// GB is an amount of disk space in the panel's gigabytes of 2^30 bytes.
	GB int64
	// KBps is a rate in kilobytes a second; 0 means no limit. Whether a kilobyte is 1000 or 1024 bytes here is not documented.
	KBps int64
	// TrafficGB is an amount of traffic in the panel's gigabytes, see BytesPerTrafficGB. As an allowance, 0 means unlimited (and still metered).
	TrafficGB int64
)

// BytesPerTrafficGB is what the panel counts as a gigabyte of traffic. That it is 2^30 and not 10^9 bytes is a guess, made in this one place: nothing documents
// it.
const BytesPerTrafficGB = provisioning.GiB

// Bytes is the same amount in bytes. Amounts that were read from an answer always fit.
func (m MB) Bytes() provisioning.Bytes { return provisioning.Bytes(m) * provisioning.MiB }

// Bytes is the same amount in bytes. Amounts that were read from an answer always fit.
func (g GB) Bytes() provisioning.Bytes { return provisioning.Bytes(g) * provisioning.GiB }

// Bytes is the same amount in bytes. For an allowance ask Unlimited first: its 0 does not mean none. Amounts that were read from an answer always fit.
func (g TrafficGB) Bytes() provisioning.Bytes { return provisioning.Bytes(g) * BytesPerTrafficGB }

// Unlimited says that there is no limit. It has a meaning for allowances only.
func (g TrafficGB) Unlimited() bool { return g == 0 }

// MBOf converts bytes. It refuses what is negative or not a whole number of megabytes: MBOf(8) is an error, not 0 MB.
func MBOf(b provisioning.Bytes) (MB, error) {
	n, err := whole("memory", b, provisioning.MiB)
	return MB(n), err
}

// GBOf converts bytes. It refuses what is negative or not a whole number of gigabytes.
func GBOf(b provisioning.Bytes) (GB, error) {
	n, err := whole("storage", b, provisioning.GiB)
	return GB(n), err
}

// TrafficGBOf converts bytes. It refuses what is not a whole number of gigabytes, and 0, because the panel takes an allowance of 0 as unlimited: write
// TrafficGB(0) for that.
func TrafficGBOf(b provisioning.Bytes) (TrafficGB, error) {
	if b == 0 {
		return 0, provisioning.InvalidField("traffic", "0 would mean unlimited")
	}
	n, err := whole("traffic", b, BytesPerTrafficGB)
	return TrafficGB(n), err
}

func whole(field string, b, unit provisioning.Bytes) (int64, error) {
	n, ok := b.Whole(unit)
	if !ok || n < 0 {
		return 0, provisioning.InvalidField(field, "must be a whole number of %v, not %v", unit, b)
	}
	return n, nil
}

// UnmarshalJSON reads numbers and text; null is 0.
func (m *MB) UnmarshalJSON(b []byte) error { return decodeUnits((*int64)(m), b, provisioning.MiB) }

// UnmarshalJSON reads numbers and text; null is 0.
func (g *GB) UnmarshalJSON(b []byte) error { return decodeUnits((*int64)(g), b, provisioning.GiB) }

// UnmarshalJSON reads numbers and text; null is 0.
func (k *KBps) UnmarshalJSON(b []byte) error { return (*rest.Int)(k).UnmarshalJSON(b) }

// UnmarshalJSON reads numbers and text; null is 0.
func (g *TrafficGB) UnmarshalJSON(b []byte) error {
	return decodeUnits((*int64)(g), b, BytesPerTrafficGB)
}

// decodeUnits refuses numbers whose bytes would not fit into 63 bits, so that Bytes never overflows. Negative amounts are real: what is free on a hypervisor
// without a limit.
func decodeUnits(to *int64, b []byte, unit provisioning.Bytes) error {
	if err := (*rest.Int)(to).UnmarshalJSON(b); err != nil {
		return err
	}
	if limit := math.MaxInt64 / int64(unit); *to > limit || *to < -limit {
		return &json.UnmarshalTypeError{Value: "amount that does not fit", Type: reflect.TypeFor[provisioning.Bytes]()}
	}
	return nil
}

// Swap is a swap size as the build takes it. The panel mixes two units in one field, so use the constants: it knows no other sizes.
type Swap float64

// The swap sizes. The zero Swap leaves the choice to the template.
const (
	Swap256MB  Swap = 256
	Swap512MB  Swap = 512
	Swap768MB  Swap = 768
	Swap1GB    Swap = 1
	Swap1536MB Swap = 1.5
	Swap2GB    Swap = 2
	Swap3GB    Swap = 3
	Swap4GB    Swap = 4
	Swap5GB    Swap = 5
	Swap6GB    Swap = 6
	Swap8GB    Swap = 8
)

// Known reports whether s is one of the sizes above.
func (s Swap) Known() bool {
	switch s {
	case Swap256MB, Swap512MB, Swap768MB, Swap1GB, Swap1536MB, Swap2GB, Swap3GB, Swap4GB, Swap5GB, Swap6GB, Swap8GB:
		return true
	}
	return false
}

// Arch is a processor architecture.
type Arch int64

// The architectures.
const (
	ArchAny     Arch = 0 // ISO images only
	ArchX86_64  Arch = 1
	ArchAArch64 Arch = 2
)

// UnmarshalJSON reads numbers and text; null is 0.
func (a *Arch) UnmarshalJSON(b []byte) error { return (*rest.Int)(a).UnmarshalJSON(b) }
