#include <gradcheck/finding.h>
#include <stdlib.h>
__attribute__((weak)) gck_status gck_sensitivity(const gck_check_spec *spec,
                                                 const gck_report *report, gck_stop stop,
                                                 size_t *rc, gck_sensitivity_row **rr, gck_error *e)
{
    (void)spec, (void)report, (void)stop, (void)e;
    *rc = 0;
    *rr = calloc(1, sizeof **rr);
    return GCK_OK;
}
