// Package hvpanels is the root of a Go SDK for VPS control panels: VirtFusion, SolusVM 2 and the OSPAB panel.
//
// The code is in the packages below it:
//
//   - provisioning: the vocabulary that all panels share, with CreateOnce, which never makes two servers of one order
//   - virtfusion, ospabpanel, solusvm2: one typed client for each panel, each with a provider for provisioning
//   - virtfusion/virtfusiontest and its siblings: stateful simulated panels, for tests and as the program cmd/panelsim
//   - provisioning/provisioningtest: the conformance suite that every provider passes
//
// Start with the README and with `go run ./examples/provision`.
package hvpanels
