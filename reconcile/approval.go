package reconcile

import (
	"context"
	"time"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/schema"
)

// held is why a plan may not be run now; empty when it may. Approving a plan
// approves what is left of it as well, after a restart and when the run had to be
// begun anew, until its revision is done.
func (k *keeper) held(ctx context.Context, p *plan.Plan, r *Revision) (string, error) {
	approved := ""
	if k.Policy.Mode == schema.ModeApproval {
		digest, err := k.approved(ctx, p, r)
		if err != nil {
			return "", err
		}
		approved = digest
	}
	return hold(k.Policy, time.Now(), p.Digest(), approved), nil
}

// approved is the digest that an operator has approved, which is that of p when
// all that p does belongs to a plan that was.
func (k *keeper) approved(ctx context.Context, p *plan.Plan, r *Revision) (string, error) {
	if k.ledger.grants(p, r.Commit.Hash) {
		return p.Digest(), nil
	}
	digest, err := k.ledger.approval(ctx)
	if err != nil || digest != p.Digest() {
		return digest, err
	}
	k.log.Info("approved", "plan", short(digest))
	k.ledger.grant(p, r.Commit.Hash)
	return digest, k.ledger.write(ctx, nil)
}

// granted says whether the plan that is held has been approved meanwhile.
func (k *keeper) granted(ctx context.Context) bool {
	if k.pending == "" || k.Policy.Mode != schema.ModeApproval {
		return false
	}
	digest, err := k.ledger.approval(ctx)
	return err == nil && digest == k.pending // the next turn meets the error again
}

// recall reads the ledger once.
func (k *keeper) recall(ctx context.Context) error {
	if k.recalled {
		return nil
	}
	if err := k.ledger.read(ctx); err != nil {
		return k.withoutLedger(err)
	}
	k.recalled = true
	return nil
}

// remember writes the ledger.
func (k *keeper) remember(ctx context.Context, waiting *plan.Plan) error {
	if err := k.ledger.write(ctx, waiting); err != nil {
		return k.withoutLedger(err)
	}
	return nil
}

// withoutLedger says whether the loop can go on when its ConfigMap cannot be read
// or written. Only who waits for approval cannot; after a restart the others take
// what differs for a part of the revision that was not done yet.
func (k *keeper) withoutLedger(err error) error {
	class := supervisor.ClassOf(err)
	lasting := class == supervisor.Denied || class == supervisor.NotFound || class == supervisor.NotServed
	if k.Policy.Mode == schema.ModeApproval || !lasting {
		return err
	}
	if !k.ledgerless {
		k.log.Warn("the state is not kept: drift cannot be told from a new revision after a restart", "configmap", k.ledger.addr().String(), "error", err)
	}
	k.recalled, k.ledgerless = true, true
	return nil
}
