// Package dynamotest gives tests and benchmarks a DynamoDB. There are three:
//
//   - local.go starts AWS's DynamoDB Local, the real API, once for each test process. It needs npm and Java.
//   - proxy.go and faults.go put a proxy in front of a DynamoDB. It delays, refuses or damages calls by a plan.
//   - canned.go answers every call with the same bytes, so that a benchmark measures only the client. Its Script
//     answers by a function of the test.
//
// Nothing that is deployed may import this package.
package dynamotest
