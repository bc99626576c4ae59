// Package linearizability tests concurrent requests while the stores have faults. There must be one order of all
// changes that explains every answer (linearizability). An acknowledged change is never lost and never made twice. A
// refused change is never made.
//
// Clients read and change organizations through several gateways at once, in this process and in others. They record
// their requests and the answers. If an answer leaves open whether a change was made, both are possible. A checker
// (porcupine) then looks for an order that explains everything, and the audit trail is compared with the answers.
//
// It holds tests only, and nothing may import it.
package linearizability
