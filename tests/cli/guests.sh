# SPDX-License-Identifier: MIT
# Tiny real-mode guests, as machine code, in the folder $1. Each is loaded at
# 1000:0000 and says 'R' on COM1 (0x3f8) when it runs.
ready='\272\370\003\260R\356'			# mov dx,3f8h; mov al,'R'; out dx,al

# echo: sends back what it gets; 'q' ends it well, by the test-exit port.
printf "$ready"'\272\375\003\354\250\001t\370'	> "$1/echo"	# wait for LSR.DR
printf '\272\370\003\354<qt\003\356\353\355'	>> "$1/echo"	# in; q? out; again
printf '\272\140\0051\300\356\353\376'		>> "$1/echo"	# out 560h,0

# deaf: reads nothing, for ever.
printf "$ready"'\353\376' > "$1/deaf"

# flood: writes for ever, a page of zeros at a time.
printf "$ready"'\276\0\020\271\0\020\363\156\353\366' > "$1/flood"

# button: powers off (SLP_EN into PM1a_CNT) once PWRBTN_STS is set in PM1a_STS.
printf "$ready"'\272\001\006\354\250\001t\373'	> "$1/button"
printf '\272\004\006\270\000\040\357\353\376'	>> "$1/button"
