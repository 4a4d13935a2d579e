/* The mote command. */
int main(void) {
    return 0;
}
