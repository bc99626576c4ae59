// Package linearizability holds the service to what it says about concurrent requests, while its stores meet faults: all that
// clients saw must be explained by one record that changed at one moment for each change (linearizability), a change that
// was acknowledged is never lost and never made twice, and one that was denied was never made.
//
// Clients read and change organizations through several gateways at once, in this process and in others, and note what
// they asked and what they were told. An answer that leaves open whether a change was made counts as either. A checker
// (porcupine) then looks for an order that explains everything; the audit trail is counted besides.
//
// It has tests only, and nothing may import it.
package linearizability
