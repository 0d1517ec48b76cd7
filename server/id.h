/* Ids that nobody can guess: 130 random bits in 26 letters and digits. Any thread. */
#ifndef GRADCHECKD_ID_H
#define GRADCHECKD_ID_H

enum { ID_SIZE = 27 };

void id_new(char id[ID_SIZE]);

#endif
