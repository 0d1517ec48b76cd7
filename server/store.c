#include "server/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store *store_open(const struct config *config)
{
    if (strcmp(config->store, "memory:") == 0) return store_memory_open(&config->limits);
    fprintf(stderr, "gradcheckd: --store knows memory:, got '%s'\n", config->store);
    return NULL;
}

void store_page_done(struct store_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        job_record_done(&page->record[i]);
    free(page->record);
    *page = (struct store_page){0};
}
